import Chassis
import ChassisStorage
import Commerce
import Contracts

/// How an account is read from its row.
extension UserStore {
    static let columns: SQL = "id, name, email, email_verified_at, role, phone, notify_email, notify_sms, created_at"

    static func user(_ row: Row) throws -> User {
        let verifiedAt: Timestamp? = try row["email_verified_at"]
        let phone: String? = try row["phone"]
        return User(
            id: try row["id"],
            name: try valid("name", PersonName(try row["name"])),
            email: try valid("email", EmailAddress(try row["email"])),
            isEmailVerified: verifiedAt != nil,
            role: try valid("role", Role(rawValue: try row["role"])),
            phone: try phone.map { try valid("phone", PhoneNumber($0)) },
            choices: NotificationChoices(email: try row["notify_email"], sms: try row["notify_sms"]),
            createdAt: try row["created_at"])
    }

    static func credentials(_ row: Row) throws -> Credentials {
        Credentials(user: try user(row), password: try valid("password", PasswordHash(try row["password"])))
    }

    /// What a search looks in: name and email, in lower case.
    static func searchText(_ name: PersonName, _ email: EmailAddress) -> String {
        name.text.lowercased() + " " + email.comparisonKey
    }

    /// The value, which was valid when it was stored. The error names the column, never what stands in it.
    static func valid<Value>(_ column: String, _ value: Value?) throws -> Value {
        guard let value else { throw StorageError.conversion("users.\(column) holds a value that this build does not take for one") }
        return value
    }
}
