import Chassis
import Commerce

// What requests say. Each reads all its members, so that all mistakes are told at once.

struct RegisterBody: JSONBody {
    let name: PersonName
    let email: EmailAddress
    let password: Password

    init(_ fields: Fields) throws {
        let name = fields.personName()
        let email = fields.email("email")
        let password = fields.newPassword("password")
        (self.name, self.email, self.password) = try fields.all(name, email, password)
    }
}

/// A login may try anything that is text: only the right email with the right password gets in.
struct LoginBody: JSONBody {
    let email: String
    let password: Password

    init(_ fields: Fields) throws {
        let email = fields.string("email", length: 1...254)
        let password = fields.triedPassword("password")
        (self.email, self.password) = try fields.all(email, password)
    }
}

struct RefreshTokenBody: JSONBody {
    let token: OpaqueToken

    init(_ fields: Fields) throws {
        token = OpaqueToken(presented: try fields.all(fields.token("refreshToken")))
    }
}

struct ProfileBody: JSONBody {
    let change: ProfileChange

    init(_ fields: Fields) throws {
        var change = ProfileChange()
        if fields.has("name") { change.name = fields.personName() }
        change.phone = fields.phoneChange()
        _ = fields.optionalObject("notifications") { choices in
            change.email = choices.optionalBool("email")
            change.sms = choices.optionalBool("sms")
        }
        try fields.finish()
        self.change = change
    }
}

struct PasswordBody: JSONBody {
    let current: Password
    let new: Password

    init(_ fields: Fields) throws {
        let current = fields.triedPassword("currentPassword")
        let new = fields.newPassword("newPassword")
        (self.current, self.new) = try fields.all(current, new)
    }
}

struct PasswordResetBody: JSONBody {
    let email: EmailAddress

    init(_ fields: Fields) throws {
        email = try fields.all(fields.email("email"))
    }
}

struct PasswordResetConfirmBody: JSONBody {
    let token: OpaqueToken
    let password: Password

    init(_ fields: Fields) throws {
        let token = fields.token("token")
        let password = fields.newPassword("newPassword")
        let (text, new) = try fields.all(token, password)
        self.token = OpaqueToken(presented: text)
        self.password = new
    }
}

/// Without a token it asks for the message to be sent again.
struct VerifyEmailBody: JSONBody {
    let token: OpaqueToken?

    init(_ fields: Fields) throws {
        let text = fields.has("token") ? fields.token("token") : nil
        try fields.finish()
        token = text.map(OpaqueToken.init(presented:))
    }
}

// MARK: - Members

extension Fields {
    fileprivate func personName() -> PersonName? {
        guard let text = string("name", length: PersonName.lengths) else { return nil }
        guard let name = PersonName(text) else {
            mistake("name", "must neither be blank nor hold control characters")
            return nil
        }
        return name
    }

    /// A password that is being chosen.
    fileprivate func newPassword(_ name: String) -> Password? {
        string(name, length: Password.lengths).map(Password.init)
    }

    /// A password that is being tried.
    fileprivate func triedPassword(_ name: String) -> Password? {
        string(name, length: 1...Password.lengths.upperBound).map(Password.init)
    }

    fileprivate func token(_ name: String) -> String? {
        string(name, length: 1...200)
    }

    /// Nil when the member is not there; `null` takes the number away.
    fileprivate func phoneChange() -> ProfileChange.PhoneChange? {
        if isNull("phone") { return .remove }
        guard let text = optionalString("phone", length: 1...20) else { return nil }
        guard let number = PhoneNumber(text) else {
            mistake("phone", "must be an E.164 number such as +4912345678")
            return nil
        }
        return .set(number)
    }
}
