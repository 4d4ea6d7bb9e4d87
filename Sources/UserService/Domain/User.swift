import Chassis
import Commerce
import Contracts

/// A person with an account, as everyone who may see the account sees it. The password is no part of it, in any form.
struct User: Sendable, Hashable {
    let id: UserID
    var name: PersonName
    let email: EmailAddress
    /// Whether a message sent to `email` has come back.
    let isEmailVerified: Bool
    let role: Role
    var phone: PhoneNumber?
    var choices: NotificationChoices
    let createdAt: Timestamp

    var identity: UserIdentity { UserIdentity(id: id, role: role) }
}

/// What a person calls themselves: 1 to 100 code points, neither blank nor with control characters, which have no place in the header
/// of an email.
struct PersonName: Sendable, Hashable {
    static let lengths = 1...100

    /// Without surrounding spaces.
    let text: String

    init?(_ text: String) {
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return nil }
        let trimmed = text.trimmingWhitespace()
        guard Self.lengths.contains(trimmed.unicodeScalars.count) else { return nil }
        self.text = trimmed
    }
}

extension String {
    fileprivate func trimmingWhitespace() -> String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(self[first...last])
    }
}
