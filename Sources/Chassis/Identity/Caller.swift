public import Commerce

/// What a user may do.
public enum Role: String, Sendable, Codable, CaseIterable {
    case customer, admin
}

/// A person, as proven by an access token.
public struct UserIdentity: Sendable, Hashable {
    public let id: UserID
    public let role: Role

    public init(id: UserID, role: Role) {
        self.id = id
        self.role = role
    }

    public var isAdministrator: Bool { role == .admin }

    /// Whether this user may see and act on what belongs to `owner`.
    public func mayAct(for owner: UserID) -> Bool { id == owner || isAdministrator }
}

/// Who makes a request.
public enum Caller: Sendable, Hashable {
    case anonymous
    case user(UserIdentity)
    /// Another part of Souk, as proven by a service token. The command line is one too: it holds the same secret.
    case service(String)
}
