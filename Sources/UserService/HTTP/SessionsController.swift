import Chassis
import HTTPTypes
import Hummingbird

/// Signing in, staying so, and signing out.
struct SessionsController: Controller {
    let sessions: Sessions

    var routes: [Route] {
        [
            .post("/api/users/login", .anyone, logIn),
            .post("/api/users/token", .anyone, refresh),
            .post("/api/users/logout", .anyone, logOut),
        ]
    }

    private func logIn(_ call: Call) async throws -> Response {
        let body = try await call.body(LoginBody.self)
        let session = try await sessions.logIn(account: body.email, password: body.password, address: call.clientAddress)
        return try .tokens(SessionDocument(session, message: "Login successful"))
    }

    private func refresh(_ call: Call) async throws -> Response {
        let body = try await call.body(RefreshTokenBody.self)
        let session = try await sessions.refresh(body.token, logger: call.logger)
        return try .tokens(SessionDocument(session))
    }

    private func logOut(_ call: Call) async throws -> Response {
        let body = try await call.body(RefreshTokenBody.self)
        try await sessions.logOut(body.token)
        return .noContent
    }
}

extension Response {
    /// Tokens, which no cache may keep (RFC 6749 section 5.1).
    fileprivate static func tokens(_ document: SessionDocument) throws -> Response {
        try .json(document, headers: [.cacheControl: "no-store"])
    }
}
