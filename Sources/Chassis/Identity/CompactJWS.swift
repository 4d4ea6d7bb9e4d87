import Foundation

/// A signed token taken apart, nothing of it trusted yet: `header.payload.signature` (RFC 7515 section 7.1).
///
/// Why not jwt-kit's key collection: it is an actor, so that no event loop could ask it; it falls back to a default key for an
/// unknown `kid`; and it picks the algorithm by the token's word where a key names none. Here the caller decides which algorithm a
/// key has, and the header must agree (RFC 8725 sections 3.1 and 3.2). The cryptography itself is swift-crypto's.
struct CompactJWS {
    struct Header: Codable {
        var algorithm: String
        var type: String?
        var keyID: String?
        /// Extensions that the sender insists on. We know none.
        var critical: [String]?

        enum CodingKeys: String, CodingKey {
            case algorithm = "alg"
            case type = "typ"
            case keyID = "kid"
            case critical = "crit"
        }
    }

    /// Larger tokens are refused unread.
    static let maximumBytes = 8192

    let header: Header
    let payload: Data
    /// What is signed: the first two parts as they were sent.
    let signingInput: Data
    let signature: Data

    init(parsing token: String) throws(TokenError) {
        guard Self.canBeToken(token) else { throw .malformed }
        let parts = token.utf8.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3,
            let headerBytes = Base64URL.decode(parts[0]),
            let payload = Base64URL.decode(parts[1]),
            let signature = Base64URL.decode(parts[2]),
            let header = try? JSON.decode(Header.self, from: headerBytes),
            header.critical == nil
        else { throw .malformed }
        self.header = header
        self.payload = payload
        self.signature = signature
        self.signingInput = Data(token.utf8.prefix(upTo: parts[1].endIndex))
    }

    /// Whether it is worth looking at: of a plausible size, and beginning as base64url of `{"` does.
    static func canBeToken(_ token: String) -> Bool {
        (20...maximumBytes).contains(token.utf8.count) && token.utf8.starts(with: "eyJ".utf8)
    }

    /// Whether `typ` is this media type, which compares without case and may be written in full (RFC 7515 section 4.1.9).
    func isOfType(_ type: String) -> Bool {
        guard let own = header.type?.lowercased() else { return false }
        return own == type || own == "application/" + type
    }

    func claims<Claims: Decodable>(as type: Claims.Type) throws(TokenError) -> Claims {
        do {
            return try JSON.decode(type, from: payload)
        } catch {
            throw .malformed
        }
    }

    /// Writes a token: `sign` gets the signing input and returns the signature.
    static func serialize(header: Header, claims: some Encodable, sign: (Data) throws -> Data) throws -> String {
        let signingInput = Base64URL.encode(try JSON.encodedData(header)) + "." + Base64URL.encode(try JSON.encodedData(claims))
        return signingInput + "." + Base64URL.encode(try sign(Data(signingInput.utf8)))
    }
}
