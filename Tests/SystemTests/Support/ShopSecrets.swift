import Chassis
import ChassisStorage
import Commerce
import Crypto
import Foundation
import Logging

/// What makes a shop's tokens worth something, taken out of its data directory: its services' shared secret, and user-service's private key.
///
/// With them a test is whom it likes, without a login; and forges tokens that are wrong in one thing only.
struct ShopSecrets: Sendable {
    let serviceSecretText: String
    let signingKey: P256.Signing.PrivateKey

    init(of shop: SystemShop) async throws {
        serviceSecretText = try String(contentsOf: shop.directory.appending(path: "service.secret"), encoding: .utf8)
        let database = try await shop.openForReading("users")
        let key: [UInt8]? = try await database.read { try $0.value("SELECT private_key FROM signing_keys ORDER BY id LIMIT 1") }
        await database.close()
        guard let key else { throw NotInTime(description: "user-service has no signing key") }
        signingKey = try P256.Signing.PrivateKey(rawRepresentation: Data(key))
    }

    var serviceSecret: ServiceSecret {
        get throws { try ServiceSecret(serviceSecretText) }
    }

    /// The header of somebody whom user-service has let in.
    func authorization(of id: Int64, _ role: Role = .customer) throws -> String {
        guard let user = UserID(rawValue: id) else { throw NotInTime(description: "\(id) is no id") }
        let signer = AccessTokenSigner(privateKey: signingKey, time: .system, randomness: .system)
        return "Bearer \(try signer.token(for: UserIdentity(id: user, role: role)))"
    }

    /// The header of a service.
    func authorizationOfService() throws -> String {
        "Bearer \(ServiceCredentials(secret: try serviceSecret, name: "order-service", time: .system).token())"
    }
}

extension SystemShop {
    /// One of the shop's databases, beside the service that owns it.
    func openForReading(_ name: String) async throws -> Database {
        let path = directory.appending(path: "\(name).sqlite").path(percentEncoded: false)
        return try await Database.openForReading(.sqlite(path: path), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}
