/// Who may call a route. It is part of the route, so that the table at the top of a controller tells it and tests can go through all of them.
public enum Access: Sendable, Hashable {
    case anyone
    /// Any signed-in user; whose data it is about is for the handler to check.
    case users
    case administrators
    /// Other services, with a service token; for `/internal` routes.
    case services
    case administratorsAndServices

    /// Nil when `caller` may go on; else the refusal: 401 without an identity, 403 with one that is not enough.
    func refusal(of caller: Caller) -> Problem? {
        switch (self, caller) {
        case (.anyone, _), (.users, .user), (.services, .service), (.administratorsAndServices, .service):
            nil
        case (.administrators, .user(let user)), (.administratorsAndServices, .user(let user)):
            user.isAdministrator ? nil : .forbidden
        case (_, .anonymous):
            .unauthorized()
        case (.users, .service), (.administrators, .service), (.services, .user):
            .forbidden
        }
    }
}
