public import Chassis
public import ChassisStorage
import Commerce
import Foundation

extension UserService {
    /// What this service can be told, beside what every service can.
    public struct Settings: Sendable {
        public var database: DatabaseURL
        /// The binary logarithm of scrypt's N. Hashes made with another are made anew at the next login.
        public var passwordCost: Int
        /// How many passwords may wait to be hashed before one more is refused.
        public var passwordQueue: Int
        /// How long a key signs access tokens.
        public var keyRotation: Duration
        public var administratorEmail: String
        /// Nil makes a random one and prints it once.
        public var administratorPassword: String?
        /// How failed logins are held up. It is no setting: tests are less patient.
        var accountLimit = LoginThrottle.Limit.account
        var addressLimit = LoginThrottle.Limit.address
        /// Tells the operator the random password. By default a line on standard error.
        public var announce: @Sendable (String) -> Void

        public init(
            database: DatabaseURL, passwordCost: Int = Self.standardPasswordCost, passwordQueue: Int = Self.standardPasswordQueue,
            keyRotation: Duration = .seconds(30 * 86_400), administratorEmail: String = Self.standardAdministratorEmail,
            administratorPassword: String? = nil
        ) {
            self.database = database
            self.passwordCost = passwordCost
            self.passwordQueue = passwordQueue
            self.keyRotation = keyRotation
            self.administratorEmail = administratorEmail
            self.administratorPassword = administratorPassword
            announce = { FirstAdministrator.announceOnStandardError($0) }
        }

        public static let standardPasswordCost = 15
        public static let standardPasswordQueue = 64
        public static let standardAdministratorEmail = "admin@souk.local"

        public init(_ reader: SettingsReader) {
            let days = reader.integer("key.rotation.days", default: 30, in: 1...365, "How long a key signs access tokens, in days.")
            self.init(
                database: reader.database(default: "sqlite:.souk/users.sqlite"),
                passwordCost: reader.integer(
                    "password.cost", default: Self.standardPasswordCost, in: 14...20,
                    "The binary logarithm of scrypt's N for new passwords."),
                passwordQueue: reader.integer(
                    "password.queue", default: Self.standardPasswordQueue, in: 1...10_000, "How many passwords may wait to be hashed."),
                keyRotation: .seconds(days * 86_400),
                administratorEmail: Self.administratorEmail(reader),
                administratorPassword: Self.administratorPassword(reader))
        }

        private static func administratorPassword(_ reader: SettingsReader) -> String? {
            let password = reader.secret(
                "souk.admin.password", minimumLength: Password.lengths.lowerBound,
                "The first administrator's password; unset makes a random one, which is printed once.")
            if let password, !Password.lengths.contains(password.count) {
                reader.mistake("SOUK_ADMIN_PASSWORD must have \(Password.lengths.lowerBound) to \(Password.lengths.upperBound) characters.")
            }
            return password
        }

        private static func administratorEmail(_ reader: SettingsReader) -> String {
            reader.parsed("souk.admin.email", type: "email", default: standardAdministratorEmail, "The first administrator's email.") {
                text in
                guard EmailAddress(text) != nil else { throw SettingsError(sentences: ["must be an email address"]) }
                return text
            } ?? standardAdministratorEmail
        }
    }
}
