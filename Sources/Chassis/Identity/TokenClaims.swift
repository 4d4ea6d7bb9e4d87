import Commerce
import Foundation

/// The registered claims that every token of Souk has (RFC 7519 section 4.1), and the rules that hold for all of them.
struct RegisteredClaims: Codable, Sendable, Hashable {
    var issuer: String
    var audience: Audience
    var subject: String
    var issuedAt: NumericDate
    var expiresAt: NumericDate
    var notBefore: NumericDate?
    var id: String?

    enum CodingKeys: String, CodingKey {
        case issuer = "iss"
        case audience = "aud"
        case subject = "sub"
        case issuedAt = "iat"
        case expiresAt = "exp"
        case notBefore = "nbf"
        case id = "jti"
    }

    /// How far ahead of ours the issuer's clock may be. `exp` gets none of it: an issuer that runs ahead gives longer tokens, not shorter.
    static let clockLeeway: Duration = .seconds(60)

    /// A token is good from its `iat` and `nbf`, with the leeway, until its `exp`, without.
    func checkTime(at now: Timestamp) throws(TokenError) {
        guard now < expiresAt.moment else { throw .expired }
        let horizon = now + Self.clockLeeway
        guard issuedAt.moment <= horizon else { throw .notYetValid }
        if let notBefore, notBefore.moment > horizon { throw .notYetValid }
    }
}

/// `aud`: one string or an array of them.
struct Audience: Codable, Sendable, Hashable {
    var names: [String]

    init(_ name: String) { names = [name] }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let name = try? container.decode(String.self) {
            names = [name]
        } else {
            names = try container.decode([String].self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if names.count == 1 {
            try container.encode(names[0])
        } else {
            try container.encode(names)
        }
    }
}

/// Seconds since the epoch; a fraction is allowed when reading and never written.
struct NumericDate: Codable, Sendable, Hashable {
    var moment: Timestamp

    init(_ moment: Timestamp) { self.moment = moment }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let seconds = try container.decode(Double.self)
        // 10^11 seconds is the year 5138: nothing real lies beyond, and below it milliseconds cannot overflow.
        guard abs(seconds) < 1e11 else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a NumericDate out of range")
        }
        moment = Timestamp(millisecondsSinceEpoch: Int64((seconds * 1000).rounded()))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(moment.secondsSinceEpoch)
    }
}
