public import Chassis
import Commerce
public import Contracts
import Crypto
import Foundation
import HTTPTypes

/// Who a test speaks as.
public enum TestCaller: Sendable, Hashable {
    case anonymous
    case user(Int64)
    case administrator(Int64)
    case service(ServiceName)
    /// Whatever this `Authorization` header says.
    case header(String)

    public static let administrator = TestCaller.administrator(1_000_001)
}

/// Signs tokens that the services of a test accept, and publishes the key that verifies them.
public struct TestIdentities: Sendable {
    private let signer: AccessTokenSigner
    private let secret: ServiceSecret
    private let time: TimeSource

    public init(secret: ServiceSecret, time: TimeSource, randomness: Randomness) {
        signer = AccessTokenSigner(privateKey: P256.Signing.PrivateKey(), time: time, randomness: randomness)
        self.secret = secret
        self.time = time
    }

    public var keys: JSONWebKeySet { JSONWebKeySet(keys: [signer.publicKey]) }

    /// The `Authorization` header of a caller.
    public func authorization(of caller: TestCaller) throws -> String? {
        switch caller {
        case .anonymous: nil
        case .user(let id): "Bearer \(try token(id, .customer))"
        case .administrator(let id): "Bearer \(try token(id, .admin))"
        case .service(let name): "Bearer \(ServiceCredentials(secret: secret, name: name.rawValue, time: time).token())"
        case .header(let value): value
        }
    }

    private func token(_ id: Int64, _ role: Role) throws -> String {
        guard let user = UserID(rawValue: id) else { throw TokenError.malformed }
        return try signer.token(for: UserIdentity(id: user, role: role))
    }

    /// A transport that answers for user-service's JWKS and leaves all else to `transport`.
    func publishingKeys(before transport: HTTPTransport) -> HTTPTransport {
        let keys = keys
        return HTTPTransport { request, timeout throws(TransportError) in
            guard request.url.hasSuffix("/.well-known/jwks.json") else { return try await transport.send(request, timeout: timeout) }
            guard let body = try? JSON.encodedData(keys) else { throw TransportError.invalidRequest }
            return InboundResponse(status: .ok, headers: [.contentType: "application/json"], body: body)
        }
    }
}
