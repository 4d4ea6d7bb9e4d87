import Chassis
import HTTPTypes
import Hummingbird

/// What goes by email: new passwords and the proof of an address.
struct RecoveryController: Controller {
    let recovery: Recovery
    /// Says who asks on a route that is open to anyone.
    let authenticator: Authenticator

    var routes: [Route] {
        [
            .post("/api/users/password-reset", .anyone, requestReset),
            .post("/api/users/password-reset/confirm", .anyone, confirmReset),
            .post("/api/users/verify-email", .anyone, verifyEmail),
        ]
    }

    private func requestReset(_ call: Call) async throws -> Response {
        let body = try await call.body(PasswordResetBody.self)
        try await recovery.requestPasswordReset(for: body.email)
        return .accepted
    }

    private func confirmReset(_ call: Call) async throws -> Response {
        let body = try await call.body(PasswordResetConfirmBody.self)
        try await recovery.resetPassword(body.token, to: body.password)
        return .noContent
    }

    /// With a token it verifies; without one, a signed-in user is sent another.
    private func verifyEmail(_ call: Call) async throws -> Response {
        if let token = try await call.verifyEmailToken() {
            try await recovery.verifyEmail(token)
            return .noContent
        }
        guard case .user(let user) = try await authenticator.caller(authorization: call.request.headers[.authorization]) else {
            throw Problem.unauthorized()
        }
        try await recovery.requestVerification(of: user.id)
        return .accepted
    }
}

extension Call {
    /// The token of the body; nil also when there is no body at all.
    fileprivate func verifyEmailToken() async throws -> OpaqueToken? {
        let hasBody = request.headers[.transferEncoding] != nil || (request.headers[.contentLength] ?? "0") != "0"
        return hasBody ? try await body(VerifyEmailBody.self).token : nil
    }
}
