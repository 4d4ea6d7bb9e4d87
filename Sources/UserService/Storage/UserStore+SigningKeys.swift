import ChassisStorage
import Commerce
import Crypto
import Foundation

extension UserStore {
    func signingKeys() async throws -> [SigningKey] {
        try await database.read(Self.signingKeys)
    }

    /// Adds the next key if one is due and withdraws those that nobody needs, and returns those that are left.
    ///
    /// - Parameter next: the key to add.
    func rotateSigningKeys(_ schedule: KeySchedule, next: P256.Signing.PrivateKey, at now: Timestamp) async throws -> [SigningKey] {
        try await database.write { transaction in
            let keys = try Self.signingKeys(transaction)
            if let activeFrom = schedule.activationOfNextKey(after: keys, at: now) {
                try transaction.execute(
                    """
                    INSERT INTO signing_keys (private_key, created_at, active_from)
                    VALUES (\(Array(next.rawRepresentation)), \(now), \(activeFrom))
                    """)
            }
            let withdrawn = schedule.withdrawn(keys, at: now).map(\.id)
            try transaction.execute("DELETE FROM signing_keys WHERE id IN \(list: withdrawn)")
            return try Self.signingKeys(transaction)
        }
    }

    private static func signingKeys(_ transaction: Transaction) throws -> [SigningKey] {
        try transaction.all("SELECT id, private_key, created_at, active_from FROM signing_keys ORDER BY id") { row in
            let bytes: [UInt8] = try row["private_key"]
            return SigningKey(
                id: try row["id"], privateKey: try P256.Signing.PrivateKey(rawRepresentation: Data(bytes)),
                createdAt: try row["created_at"],
                activeFrom: try row["active_from"])
        }
    }
}
