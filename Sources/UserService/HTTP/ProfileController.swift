import Chassis
import HTTPTypes
import Hummingbird

/// One's own account.
struct ProfileController: Controller {
    let accounts: Accounts

    var routes: [Route] {
        [
            .get("/api/users/me", .users, show),
            .patch("/api/users/me", .users, change),
            .delete("/api/users/me", .users, erase),
            .put("/api/users/me/password", .users, changePassword),
        ]
    }

    private func show(_ call: Call) async throws -> Response {
        let caller = try call.user
        return try .json(UserDocument(try await accounts.show(caller.id, to: caller)))
    }

    private func change(_ call: Call) async throws -> Response {
        let body = try await call.body(ProfileBody.self)
        let user = try await accounts.change(try call.user.id, body.change)
        return try .json(UserDocument(user))
    }

    private func erase(_ call: Call) async throws -> Response {
        try await accounts.erase(try call.user.id)
        return .noContent
    }

    private func changePassword(_ call: Call) async throws -> Response {
        let body = try await call.body(PasswordBody.self)
        try await accounts.changePassword(of: try call.user.id, from: body.current, to: body.new, address: call.clientAddress)
        return .noContent
    }
}
