public import Commerce

/// What an access token says: RFC 9068, but for `client_id`, since the shop is its own and only client.
public struct AccessTokenClaims: Codable, Sendable, Hashable {
    /// The `typ` header of access tokens. It keeps a service token, or any other JWT of the same keys, from passing as one.
    static let type = "at+jwt"

    public static let standardIssuer = "urn:souk:user-service"
    public static let standardAudience = "urn:souk:api"
    public static let standardLifetime: Duration = .seconds(15 * 60)

    let registered: RegisteredClaims
    /// `sub`: whom the token speaks for.
    public let subject: UserID
    public let role: Role

    public var issuer: String { registered.issuer }
    public var audiences: [String] { registered.audience.names }
    public var issuedAt: Timestamp { registered.issuedAt.moment }
    public var expiresAt: Timestamp { registered.expiresAt.moment }

    /// - Parameter id: `jti`, unique for each token.
    public init(issuer: String, audience: String, user: UserIdentity, issuedAt: Timestamp, expiresAt: Timestamp, id: String) {
        self.registered = RegisteredClaims(
            issuer: issuer, audience: Audience(audience), subject: user.id.description, issuedAt: NumericDate(issuedAt),
            expiresAt: NumericDate(expiresAt), id: id)
        self.subject = user.id
        self.role = user.role
    }

    private enum CodingKeys: String, CodingKey {
        case role
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        registered = try RegisteredClaims(from: decoder)
        role = try container.decode(Role.self, forKey: .role)
        guard let subject = UserID(registered.subject), registered.id != nil else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "sub is no user id, or jti is missing"))
        }
        self.subject = subject
    }

    public func encode(to encoder: any Encoder) throws {
        try registered.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(role, forKey: .role)
    }
}
