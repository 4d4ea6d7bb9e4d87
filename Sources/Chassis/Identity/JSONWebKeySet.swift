/// The public keys of an issuer, as `/.well-known/jwks.json` shows them (RFC 7517 section 5).
///
/// To change keys, publish the new one beside the old, wait until verifiers have seen it (10 minutes), sign with it, and withdraw the
/// old one when its last token has expired.
public struct JSONWebKeySet: Codable, Sendable, Hashable {
    /// More keys than this are not read: a set is small, and what is fetched must be bounded.
    static let maximumKeys = 32

    public var keys: [JSONWebKey]

    public init(keys: [JSONWebKey]) {
        self.keys = keys
    }

    private enum CodingKeys: String, CodingKey {
        case keys
    }

    /// A key that is not of a kind we know, and so cannot verify anything here.
    private struct Skipped: Decodable {
        init(from decoder: any Decoder) {}
    }

    /// Keys of other kinds are passed over, as the RFC asks, so that an issuer can introduce a new kind.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        var list = try container.nestedUnkeyedContainer(forKey: .keys)
        keys = []
        while !list.isAtEnd, keys.count < Self.maximumKeys {
            if let key = try? list.decode(JSONWebKey.self) {
                keys.append(key)
            } else {
                _ = try list.decode(Skipped.self)
            }
        }
    }
}
