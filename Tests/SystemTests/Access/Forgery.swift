import Commerce
import Crypto
import Foundation

@testable import Chassis

/// A token that must not be worth anything. Each claims to be an administrator's (or a service's) and is wrong in one thing.
enum Forgery: String, CaseIterable, CustomStringConvertible {
    case expired, notYetValid = "not yet valid"
    case wrongKey = "another key under the same kid"
    case unknownKey = "an unknown kid"
    case noAlgorithm = "alg:none"
    case noAlgorithmButSigned = "alg:none with a signature"
    case publicKeyAsSecret = "HS256 with the public key as secret"
    case altered = "a customer's token that says admin, under the old signature"
    case otherUser = "a customer's token of another user, under the old signature"
    case prolonged = "an expired token that lives longer, under the old signature"
    case unsigned = "a token without its signature"
    case half = "half a token"
    case twice = "two tokens"
    case basic = "a name and a password"
    case wrongIssuer = "another issuer"
    case wrongAudience = "another audience"
    case wrongType = "another typ"
    case serviceSecretForUser = "an access token signed with the service secret"
    case signingKeyForService = "a service token signed with user-service's key"
    case expiredService = "an expired service token"
    case otherSecretService = "a service token of another secret"
    case longService = "a service token for a day"
    case nonsense = "no token"

    var description: String { rawValue }

    /// - Parameters:
    ///   - id: the user that it names.
    ///   - customer: a good token of a customer, to be altered.
    func authorization(_ secrets: ShopSecrets, id: Int64, customer: String) throws -> String {
        guard self != .basic else { return "Basic \(Data("admin@souk.local:password".utf8).base64EncodedString())" }
        return "Bearer " + (try token(Forge(secrets: secrets, id: id), customer: String(customer.dropFirst("Bearer ".count))))
    }

    private func token(_ forge: Forge, customer: String) throws -> String {
        switch self {
        case .expired: try forge.access(claims: { $0.move(by: -901) })
        case .notYetValid: try forge.access(claims: { $0.move(by: 3600) })
        case .wrongKey: try forge.access(signedBy: P256.Signing.PrivateKey())
        case .unknownKey: try forge.access(header: { $0.keyID = "unknown" })
        case .noAlgorithm: try forge.access(header: { $0.algorithm = "none" }, sign: { _ in Data() })
        case .noAlgorithmButSigned: try forge.access(header: { $0.algorithm = "none" })
        case .publicKeyAsSecret:
            try forge.access(
                header: { $0.algorithm = "HS256" },
                sign: { input in
                    let key = SymmetricKey(data: Data(forge.secrets.signingKey.publicKey.pemRepresentation.utf8))
                    return Data(HMAC<SHA256>.authenticationCode(for: input, using: key))
                })
        case .altered: try forge.altered(customer, "\"customer\"", "\"admin\"")
        case .otherUser: try forge.altered(customer, "\"sub\":\"", "\"sub\":\"1")
        case .prolonged: try forge.altered(try forge.access(claims: { $0.move(by: -901) }), "\"exp\":1", "\"exp\":2")
        case .unsigned: try forge.access(sign: { _ in Data() })
        case .half: String(customer.prefix(customer.count / 2))
        case .twice: "\(customer) \(customer)"
        case .basic: ""
        case .wrongIssuer: try forge.access(claims: { $0.issuer = "urn:somebody:else" })
        case .wrongAudience: try forge.access(claims: { $0.audience = Audience("urn:another:api") })
        case .wrongType: try forge.access(header: { $0.type = "JWT" })
        case .serviceSecretForUser:
            try forge.access(header: { $0.algorithm = "HS256" }, sign: { try forge.secrets.serviceSecret.code(for: $0) })
        case .signingKeyForService:
            try forge.service(
                header: { $0.algorithm = "ES256" }, sign: { try forge.secrets.signingKey.signature(for: $0).rawRepresentation })
        case .expiredService: try forge.service(claims: { $0.move(by: -301) })
        case .otherSecretService: try forge.service(sign: { try ServiceSecret("another secret of more than 32 bytes").code(for: $0) })
        case .longService: try forge.service(claims: { $0.expiresAt = NumericDate($0.issuedAt.moment + .seconds(86_400)) })
        case .nonsense: "eyJub25zZW5zZQ.nonsense.nonsense"
        }
    }
}

/// Writes tokens with the shop's real keys, changed as a forgery wants them.
private struct Forge {
    let secrets: ShopSecrets
    let id: Int64

    private struct Claims: Encodable {
        var registered: RegisteredClaims
        var role: String

        func encode(to encoder: any Encoder) throws {
            try registered.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(role, forKey: .role)
        }

        enum CodingKeys: String, CodingKey { case role }
    }

    func access(
        signedBy key: P256.Signing.PrivateKey? = nil, header change: (inout CompactJWS.Header) -> Void = { _ in },
        claims changeClaims: (inout RegisteredClaims) -> Void = { _ in }
    ) throws -> String {
        let key = key ?? secrets.signingKey
        return try access(header: change, claims: changeClaims) { try key.signature(for: $0).rawRepresentation }
    }

    func access(
        header change: (inout CompactJWS.Header) -> Void = { _ in }, claims changeClaims: (inout RegisteredClaims) -> Void = { _ in },
        sign: (Data) throws -> Data
    ) throws -> String {
        var header = CompactJWS.Header(
            algorithm: "ES256", type: AccessTokenClaims.type, keyID: JSONWebKey(secrets.signingKey.publicKey).id)
        change(&header)
        var claims = registered(
            AccessTokenClaims.standardIssuer, AccessTokenClaims.standardAudience, subject: "\(id)",
            lifetime: AccessTokenClaims.standardLifetime)
        changeClaims(&claims)
        return try CompactJWS.serialize(header: header, claims: Claims(registered: claims, role: "admin"), sign: sign)
    }

    func service(
        header change: (inout CompactJWS.Header) -> Void = { _ in }, claims changeClaims: (inout RegisteredClaims) -> Void = { _ in },
        sign: ((Data) throws -> Data)? = nil
    ) throws -> String {
        var header = CompactJWS.Header(algorithm: ServiceToken.algorithm, type: ServiceToken.type)
        change(&header)
        var claims = registered("order-service", ServiceToken.audience, subject: "order-service", lifetime: ServiceToken.lifetime)
        changeClaims(&claims)
        return try CompactJWS.serialize(header: header, claims: claims, sign: sign ?? { try secrets.serviceSecret.code(for: $0) })
    }

    /// A token whose claims say something else than was signed.
    func altered(_ token: String, _ said: String, _ says: String) throws -> String {
        let parts = token.split(separator: ".").map(String.init)
        let payload = String(decoding: Base64URL.decode(parts[1]) ?? Data(), as: UTF8.self)
        let claimed = payload.replacingOccurrences(of: said, with: says)
        precondition(claimed != payload, "there is nothing to alter")
        return [parts[0], Base64URL.encode(Data(claimed.utf8)), parts[2]].joined(separator: ".")
    }

    private func registered(_ issuer: String, _ audience: String, subject: String, lifetime: Duration) -> RegisteredClaims {
        let now = TimeSource.system.now
        return RegisteredClaims(
            issuer: issuer, audience: Audience(audience), subject: subject, issuedAt: NumericDate(now),
            expiresAt: NumericDate(now + lifetime), id: "forged")
    }
}

extension RegisteredClaims {
    fileprivate mutating func move(by seconds: Int64) {
        issuedAt = NumericDate(issuedAt.moment + .seconds(seconds))
        expiresAt = NumericDate(expiresAt.moment + .seconds(seconds))
    }
}
