public import Commerce

/// How a customer wants to be told things.
public struct NotificationChoices: Codable, Sendable, Hashable {
    public var email: Bool
    public var sms: Bool

    /// Until a customer chooses, email is on and SMS is off.
    public static let standard = NotificationChoices(email: true, sms: false)

    public init(email: Bool, sms: Bool) {
        self.email = email
        self.sms = sms
    }
}

/// Where and how a customer can be reached. Whoever sends messages keeps a copy from these events and drops it on `UserErased`.
public struct UserRegistered: Event {
    public static let eventType = "souk.user.registered"
    public static let source = ServiceName.users
    public var subject: String { userID.description }

    public let userID: UserID
    public let name: String
    public let email: String

    public init(userID: UserID, name: String, email: String) {
        self.userID = userID
        self.name = name
        self.email = email
    }
}

/// The whole profile after a change.
public struct UserUpdated: Event {
    public static let eventType = "souk.user.updated"
    public static let source = ServiceName.users
    public var subject: String { userID.description }

    public let userID: UserID
    public let name: String
    public let email: String
    /// E.164, for example `+4912345678`.
    public let phone: String?
    public let choices: NotificationChoices

    public init(userID: UserID, name: String, email: String, phone: String?, choices: NotificationChoices) {
        self.userID = userID
        self.name = name
        self.email = email
        self.phone = phone
        self.choices = choices
    }
}

/// The personal data of this user is gone; every copy must go too.
public struct UserErased: Event {
    public static let eventType = "souk.user.erased"
    public static let source = ServiceName.users
    public var subject: String { userID.description }

    public let userID: UserID

    public init(userID: UserID) {
        self.userID = userID
    }
}
