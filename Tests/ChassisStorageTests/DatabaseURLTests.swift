import ChassisStorage
import Logging
import Testing

@Suite("DATABASE_URL")
struct DatabaseURLTests {
    @Test(
        "the accepted forms",
        arguments: [
            ("sqlite:orders.db", Dialect.sqlite), ("sqlite:/var/lib/orders.db", .sqlite), ("sqlite::memory:", .sqlite),
            ("postgres://u:p@h/db", .postgres), ("postgresql://h/db", .postgres),
        ])
    func accepted(text: String, dialect: Dialect) throws {
        #expect(try DatabaseURL(text).dialect == dialect)
    }

    @Test(
        "anything else is refused with a sentence that does not repeat it",
        arguments: ["", "sqlite:", "sqlite://x", "mysql://u:pw@h", "orders.db"])
    func refused(text: String) {
        let error = #expect(throws: StorageError.self) { try DatabaseURL(text) }
        #expect(error?.message.contains("sqlite:PATH") == true)
        #expect(error?.message.contains("pw") == false)
    }

    @Test(
        "a password is never shown",
        arguments: [
            ("postgres://u:secret@h:5432/db", "postgres://u:***@h:5432/db"),
            ("postgres://u:secret@cr:et@h/db", "postgres://***"),
            ("postgres://h/db?password=secret", "postgres://h/db?***"),
            ("postgres://u@h/db", "postgres://u@h/db"),
            ("postgres://u:secret?@h/db", "postgres://***"),
            ("postgres://h/db?password=secret@1", "postgres://***"),
            ("postgres://u:p/secret@h/db", "postgres://***"),
            ("sqlite:orders.db", "sqlite:orders.db"),
        ])
    func redaction(text: String, shown: String) throws {
        let url = try DatabaseURL(text)
        #expect("\(url)" == shown)
        var dumped = ""
        dump(url, to: &dumped)
        #expect(!dumped.contains("secret") && !String(reflecting: url).contains("secret"))
    }

    @Test("Postgres is refused in words while there is no driver for it")
    func postgres() async throws {
        let url = try DatabaseURL("postgres://u:secret@h/db")
        let error = await #expect(throws: StorageError.self) {
            try await Database.open(url, migrations: [], logger: .silent)
        }
        #expect(error?.message.contains("this build has no Postgres driver") == true)
    }
}
