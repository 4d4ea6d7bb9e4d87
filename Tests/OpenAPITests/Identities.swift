import Chassis
import ChassisTesting
import Commerce
import Contracts
import Crypto
import Foundation
import HTTPTypes
import Synchronization

// Everybody who may come to a route, with the `Authorization` that they bring: those who are what they say, and forgeries of all kinds, made
// from tokens that a real user-service has issued.

/// Who comes to a route.
struct Identity: Sendable, CustomStringConvertible {
    enum Kind: Sendable {
        case nobody
        case customer
        case administrator
        case service
        /// Somebody whose word counts for nothing.
        case impostor
    }

    let description: String
    let kind: Kind
    let authorization: String?
}

/// A user-service that issues tokens, and everybody who has one, or wants one.
struct Identities: Sendable {
    let all: [Identity]
    private let users: ServiceEndpoint
    private let clock: ShiftedClock

    init() async throws {
        clock = ShiftedClock()
        let platform = try RealRoutes.platform(of: .users, time: clock.source, transport: .nobody)
        users = ServiceEndpoint(try await RealRoutes.assemble(.users, platform), platform: platform)
        _ = try await Self.post(users, "register", ["name": "Ada", "email": "ada@example.com", "password": "correct horse"])
        let (expiredCustomer, expiredAdministrator) = (try await Self.customer(users), try await Self.administrator(users))
        let expiredService = Self.serviceToken(RealRoutes.secret, clock)
        clock.advance(by: .seconds(3600))
        let (customer, administrator) = (try await Self.customer(users), try await Self.administrator(users))
        let token = Parts(administrator)
        let nobodysKey = P256.Signing.PrivateKey()
        func impostor(_ name: String, _ authorization: String) -> Identity {
            Identity(description: name, kind: .impostor, authorization: authorization)
        }
        all = [
            Identity(description: "nobody", kind: .nobody, authorization: nil),
            Identity(description: "a customer", kind: .customer, authorization: "Bearer \(customer)"),
            Identity(description: "an administrator", kind: .administrator, authorization: "Bearer \(administrator)"),
            Identity(description: "a service", kind: .service, authorization: "Bearer \(Self.serviceToken(RealRoutes.secret, clock))"),
            impostor("a customer whose token has ended", "Bearer \(expiredCustomer)"),
            impostor("an administrator whose token has ended", "Bearer \(expiredAdministrator)"),
            impostor("a service whose token has ended", "Bearer \(expiredService)"),
            impostor("a token by another key of the same name", "Bearer \(try token.signed(by: nobodysKey))"),
            impostor(
                "a token by a key that nobody has published",
                "Bearer \(try token.changing(header: "kid", to: "nobodys").signed(by: nobodysKey))"),
            impostor("a token with alg none", "Bearer \(token.changing(header: "alg", to: "none").unsigned)"),
            impostor("a token with alg none and a signature", "Bearer \(token.changing(header: "alg", to: "none").text)"),
            impostor("a token with alg HS256 by the public key", "Bearer \(try await token.authenticated(by: Self.publicKey(users)))"),
            impostor("a customer's token that says admin", "Bearer \(Parts(customer).changing(claim: "role", to: "admin").text)"),
            impostor("a token of another user", "Bearer \(Parts(customer).changing(claim: "sub", to: "1").text)"),
            impostor("a token that lives longer", "Bearer \(Parts(expiredAdministrator).changing(claim: "exp", to: 4_000_000_000).text)"),
            impostor("a service of another shop", "Bearer \(Self.serviceToken("a secret that another shop has chosen for itself", clock))"),
            impostor("a token without its signature", "Bearer \(token.unsigned)"),
            impostor("half a token", "Bearer \(administrator.prefix(administrator.count / 2))"),
            impostor("two tokens", "Bearer \(administrator) \(administrator)"),
            impostor("a user's name and password", "Basic \(Data("ada@example.com:correct horse".utf8).base64EncodedString())"),
        ]
    }

    /// A service that verifies tokens of this user-service.
    func endpoint(of service: ServiceName) async throws -> ServiceEndpoint {
        guard service != .users else { return users }
        let transport = HTTPTransport { [users] request, _ async throws(TransportError) in
            guard request.url.hasSuffix("/.well-known/jwks.json") else { throw .notConnected }
            do { return try await users.respond(to: request) } catch { throw .interrupted }
        }
        let platform = try RealRoutes.platform(of: service, time: clock.source, transport: transport)
        return ServiceEndpoint(try await RealRoutes.assemble(service, platform), platform: platform)
    }

    // MARK: Tokens

    private static func customer(_ users: ServiceEndpoint) async throws -> String {
        try await login(users, "ada@example.com", "correct horse")
    }

    private static func administrator(_ users: ServiceEndpoint) async throws -> String {
        try await login(users, UserServiceAdministrator.email, RealRoutes.administratorPassword)
    }

    private static func login(_ users: ServiceEndpoint, _ email: String, _ password: String) async throws -> String {
        let answer = try await post(users, "login", ["email": .string(email), "password": .string(password)])
        guard let token = answer["accessToken"].string else { throw NoToken(answer: "\(answer)") }
        return token
    }

    private static func post(_ users: ServiceEndpoint, _ call: String, _ body: JSONValue) async throws -> JSONValue {
        let request = OutboundRequest(
            method: .post, url: "http://127.0.0.1:3001/api/users/\(call)", headers: [.contentType: "application/json"],
            body: try JSON.encodedData(body))
        return try JSONValue.parse(try await users.respond(to: request).body)
    }

    private static func publicKey(_ users: ServiceEndpoint) async throws -> Data {
        let request = OutboundRequest(method: .get, url: "http://127.0.0.1:3001/.well-known/jwks.json", headers: [:], body: nil)
        return try await users.respond(to: request).body
    }

    private static func serviceToken(_ secret: String, _ clock: ShiftedClock) -> String {
        guard let secret = try? ServiceSecret(secret) else { return "" }
        return ServiceCredentials(secret: secret, name: ServiceName.orders.rawValue, time: clock.source).token()
    }

    private struct NoToken: Error { let answer: String }
}

/// As user-service has it when nothing else is set.
private enum UserServiceAdministrator {
    static let email = "admin@souk.local"
}

/// The three parts of a token, to be taken apart and put together anew.
private struct Parts {
    var header: [String: Any]
    var claims: [String: Any]
    let signature: Substring

    init(_ token: String) {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        header = Self.members(parts[0])
        claims = Self.members(parts[1])
        signature = parts[2]
    }

    func changing(header name: String, to value: Any) -> Parts {
        var copy = self
        copy.header[name] = value
        return copy
    }

    func changing(claim name: String, to value: Any) -> Parts {
        var copy = self
        copy.claims[name] = value
        return copy
    }

    /// With the signature that it had before the changes.
    var text: String { "\(input).\(signature)" }

    var unsigned: String { "\(input)." }

    func signed(by key: P256.Signing.PrivateKey) throws -> String {
        "\(input).\(Self.encode(try key.signature(for: Data(input.utf8)).rawRepresentation))"
    }

    func authenticated(by secret: Data) async throws -> String {
        let changed = changing(header: "alg", to: "HS256")
        let code = HMAC<SHA256>.authenticationCode(for: Data(changed.input.utf8), using: SymmetricKey(data: secret))
        return "\(changed.input).\(Self.encode(Data(code)))"
    }

    private var input: String { "\(Self.encode(Self.json(header))).\(Self.encode(Self.json(claims)))" }

    private static func json(_ members: [String: Any]) -> Data {
        (try? JSONSerialization.data(withJSONObject: members, options: .sortedKeys)) ?? Data()
    }

    private static func members(_ part: Substring) -> [String: Any] {
        var text = part.replacing("-", with: "+").replacing("_", with: "/")
        while text.count % 4 != 0 { text += "=" }
        let data = Data(base64Encoded: String(text)) ?? Data()
        return (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
    }

    private static func encode(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}

/// The system's clock, ahead by as much as a test says.
final class ShiftedClock: Sendable {
    private let ahead = Mutex(Duration.zero)

    func advance(by duration: Duration) { ahead.withLock { $0 += duration } }

    var source: TimeSource {
        let system = TimeSource.system
        return TimeSource(
            now: { system.now + self.ahead.withLock { $0 } }, monotonic: { system.monotonic + self.ahead.withLock { $0 } },
            sleep: { try await system.sleep(for: $0) })
    }
}
