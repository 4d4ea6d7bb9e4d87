import HTTPTypes

/// From the `Authorization` header of a request to its `Caller`.
public struct Authenticator: Sendable {
    private let users: AccessTokenVerifier?
    private let services: ServiceTokenVerifier?

    /// - Parameters:
    ///   - users: nil where no user ever calls.
    ///   - services: nil where no service may call: the gateway has none, so that a stolen service token is worth nothing there.
    public init(users: AccessTokenVerifier?, services: ServiceTokenVerifier?) {
        self.users = users
        self.services = services
    }

    /// The caller if that is known without waiting; nil means: ask `caller(authorization:)`. For event loops.
    public func cached(authorization: String?) -> Caller? {
        guard let authorization else { return .anonymous }
        guard let token = Self.bearerToken(authorization) else { return nil }
        return cached(token)
    }

    /// Who makes a request with this `Authorization` header.
    ///
    /// - Throws: 401 with an RFC 6750 challenge for a scheme other than `Bearer` and for a token that is no good; 503 if access tokens
    ///   cannot be checked now.
    public func caller(authorization: String?) async throws(Problem) -> Caller {
        guard let authorization else { return .anonymous }
        guard let token = Self.bearerToken(authorization) else {
            throw .unauthorized("Only Bearer tokens are accepted")
        }
        if let caller = cached(token) { return caller }
        do throws(TokenError) {
            return try await verify(token)
        } catch {
            throw Self.problem(for: error)
        }
    }

    private func cached(_ token: String) -> Caller? {
        if let user = users?.cached(token) { return .user(user) }
        if let service = services?.cached(token) { return .service(service) }
        return nil
    }

    /// The unverified `typ` only chooses who judges the token; each judge checks it again for itself.
    private func verify(_ token: String) async throws(TokenError) -> Caller {
        let isServiceToken = try CompactJWS(parsing: token).isOfType(ServiceToken.type)
        if isServiceToken {
            guard let services else { throw .wrongType }
            return .service(try services.verify(token))
        } else {
            guard let users else { throw .wrongType }
            return .user(try await users.verify(token))
        }
    }

    /// What stands after `Bearer` and its spaces (RFC 6750 section 2.1); nil for another scheme or no token.
    private static func bearerToken(_ authorization: String) -> String? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let token = parts[1].drop { $0 == " " }
        return token.isEmpty ? nil : String(token)
    }

    private static func problem(for error: TokenError) -> Problem {
        guard error != .keysUnavailable else { return .unavailable(error.sentence) }
        return .unauthorized(error.sentence, challenge: #"Bearer error="invalid_token", error_description="\#(error.sentence)""#)
    }
}
