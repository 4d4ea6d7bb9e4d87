import Commerce
import Foundation
import Synchronization

/// What distinguishes service tokens: HS256 over the shared secret, five minutes, for `/internal` routes only.
enum ServiceToken {
    static let algorithm = "HS256"
    static let type = "service+jwt"
    static let audience = "souk-internal"
    static let lifetime: Duration = .seconds(5 * 60)
}

/// How a service proves to the others who it is: a short-lived token, made when needed and used until half of its life is over.
public final class ServiceCredentials: Sendable {
    private struct Issued {
        let token: String
        let issuedAt: Timestamp
    }

    private let secret: ServiceSecret
    private let name: String
    private let time: TimeSource
    private let issued = Mutex<Issued?>(nil)

    /// - Parameter name: who calls: a service's name, or `souk` for the command line.
    public init(secret: ServiceSecret, name: String, time: TimeSource) {
        self.secret = secret
        self.name = name
        self.time = time
    }

    /// A token that is good for at least 2.5 minutes more.
    public func token() -> String {
        let now = time.now
        return issued.withLock { issued in
            if let issued, issued.issuedAt <= now, now < issued.issuedAt + ServiceToken.lifetime / 2 { return issued.token }
            let token = makeToken(at: now)
            issued = Issued(token: token, issuedAt: now)
            return token
        }
    }

    private func makeToken(at now: Timestamp) -> String {
        let header = CompactJWS.Header(algorithm: ServiceToken.algorithm, type: ServiceToken.type)
        let claims = RegisteredClaims(
            issuer: name, audience: Audience(ServiceToken.audience), subject: name, issuedAt: NumericDate(now),
            expiresAt: NumericDate(now + ServiceToken.lifetime))
        do {
            return try CompactJWS.serialize(header: header, claims: claims) { secret.code(for: $0) }
        } catch {
            // Strings and integers always encode, and an HMAC cannot fail.
            preconditionFailure("a service token could not be written: \(error)")
        }
    }
}

extension ServiceCredentials: CustomStringConvertible {
    public var description: String { "ServiceCredentials(\(name))" }
}
