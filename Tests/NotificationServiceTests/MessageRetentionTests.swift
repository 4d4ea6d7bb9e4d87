import Chassis
import ChassisStorage
import Commerce
import Contracts
import Logging
import Testing

@testable import ChassisEvents
@testable import NotificationService

@Suite("The retention of messages")
struct MessageRetentionTests {
    @Test("messages that wait for nobody go when they are old; queued and dead ones stay")
    func trimmed() async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let database = try await Database.open(.sqliteMemory, migrations: NotificationService.migrations, logger: logger)
        let day: Int64 = 86_400_000
        for (number, status) in ["sent", "kept", "suppressed", "queued", "dead"].enumerated() {
            for age: Int64 in [89, 91] {
                let at = Timestamp(millisecondsSinceEpoch: (1_000 - age) * day)
                _ = try await database.write { transaction in
                    try transaction.execute(
                        """
                        INSERT INTO notifications (cause, user_id, kind, model, status, created_at)
                        VALUES (\("cause \(number) \(age)"), 7, 'welcome', '{}', \(status), \(at))
                        """)
                }
            }
        }
        let now = TimeSource(
            now: { Timestamp(millisecondsSinceEpoch: 1_000 * 86_400_000) }, monotonic: { .zero }, sleep: { _ in })
        let settings = NotificationService.Settings(database: .sqliteMemory)
        #expect(try await NotificationStore.retention(keeping: settings.messageRetention).trim(database, now) == 3)
        let kept = try await database.read { transaction in
            try transaction.all("SELECT status FROM notifications ORDER BY created_at, id") { try $0["status"] as String }
        }
        #expect(kept == ["queued", "dead", "sent", "kept", "suppressed", "queued", "dead"])
        await database.close()
    }
}
