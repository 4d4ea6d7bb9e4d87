import Chassis
import Commerce
import HTTPTypes
import Hummingbird

/// Accounts as others see them. `me` is `ProfileController`'s.
///
/// Registering takes no `Idempotency-Key`: the email is the key, and a stored fingerprint of a body with a password in it would be a fast
/// hash of that password.
struct AccountsController: Controller {
    let accounts: Accounts

    var routes: [Route] {
        [
            .post("/api/users/register", .anyone, register),
            .get("/api/users", .administrators, list),
            .get("/api/users/{id}", .users, show),
        ]
    }

    private func register(_ call: Call) async throws -> Response {
        let body = try await call.body(RegisterBody.self)
        let user = try await accounts.register(name: body.name, email: body.email, password: body.password)
        return try .json(RegisteredDocument(user), status: .created, headers: [.location: "/api/users/\(user.id)"])
    }

    private func list(_ call: Call) async throws -> Response {
        let page = try call.pageRequest()
        let users = try await accounts.list(matching: try search(call), after: try page.lastUser(), limit: page.limit)
        return try .page(users.map(UserDocument.init), of: call)
    }

    /// NUL, which no text of ours holds, is no part of a name.
    private func search(_ call: Call) throws(Problem) -> String? {
        guard let text = call.query("search") else { return nil }
        guard !text.utf8.contains(0) else { throw .invalid("?search", "must not hold NUL") }
        return text
    }

    private func show(_ call: Call) async throws -> Response {
        let id = try call.id(of: UserEntity.self, orElse: UserError.notFound.problem)
        let user = try await accounts.show(id, to: try call.user)
        return try .json(UserDocument(user))
    }
}

extension PageRequest {
    /// The cursor of this list is the id of the last account on the page before.
    fileprivate func lastUser() throws(Problem) -> UserID? {
        guard let cursor else { return nil }
        guard let id = UserID(cursor) else { throw .invalid("?cursor", "must be one that a Link header gave") }
        return id
    }
}
