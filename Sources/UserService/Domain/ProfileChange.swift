import Contracts

/// What a person changes about their profile. What is nil stays.
struct ProfileChange: Sendable, Hashable {
    enum PhoneChange: Sendable, Hashable {
        case set(PhoneNumber)
        case remove
    }

    var name: PersonName?
    var phone: PhoneChange?
    var email: Bool?
    var sms: Bool?

    /// The profile afterwards. Taking the phone number away takes SMS with it, unless the same change insists on SMS.
    ///
    /// - Throws: `UserError.phoneRequired` for SMS without a number.
    func applied(to user: User) throws(UserError) -> User {
        var changed = user
        changed.name = name ?? user.name
        switch phone {
        case .set(let number): changed.phone = number
        case .remove: changed.phone = nil
        case nil: break
        }
        changed.choices.email = email ?? user.choices.email
        changed.choices.sms = sms ?? (user.choices.sms && changed.phone != nil)
        guard !changed.choices.sms || changed.phone != nil else { throw .phoneRequired }
        return changed
    }
}
