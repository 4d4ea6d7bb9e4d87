public import Crypto
import Foundation

/// A public key that access tokens can be verified with: P-256 for ES256, or Ed25519 for EdDSA (RFC 7517, RFC 8037).
///
/// There is no way to put a private or a symmetric key in one, so a key set cannot publish a secret, and a public key cannot be taken
/// for the secret of an HMAC.
public struct JSONWebKey: Sendable {
    enum Material: Sendable {
        case p256(P256.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    /// `kid`.
    public let id: String
    let material: Material

    /// - Parameter id: `kid`; by default the RFC 7638 thumbprint, which is the same wherever and whenever it is computed.
    public init(_ key: P256.Signing.PublicKey, id: String? = nil) {
        self.init(material: .p256(key), id: id)
    }

    public init(_ key: Curve25519.Signing.PublicKey, id: String? = nil) {
        self.init(material: .ed25519(key), id: id)
    }

    private init(material: Material, id: String?) {
        self.material = material
        self.id = id ?? Self.thumbprint(of: material)
    }

    /// `alg`: the one algorithm this key is for.
    public var algorithm: String {
        switch material {
        case .p256: "ES256"
        case .ed25519: "EdDSA"
        }
    }

    func isValidSignature(_ signature: Data, for bytes: Data) -> Bool {
        switch material {
        case .p256(let key):
            // RFC 7518 section 3.4: R and S, 32 bytes each, which is swift-crypto's raw representation. It refuses other lengths.
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: bytes)
        case .ed25519(let key):
            return key.isValidSignature(signature, for: bytes)
        }
    }

    /// RFC 7638: SHA-256 of the members that define the key, in alphabetical order, without spaces.
    private static func thumbprint(of material: Material) -> String {
        let members = material.coordinates
        let y = members.y.map { #","y":"\#($0)""# } ?? ""
        let text = #"{"crv":"\#(material.curve)","kty":"\#(material.keyType)","x":"\#(members.x)"\#(y)}"#
        return Base64URL.encode(Data(SHA256.hash(data: Data(text.utf8))))
    }
}

extension JSONWebKey.Material {
    fileprivate var keyType: String {
        switch self {
        case .p256: "EC"
        case .ed25519: "OKP"
        }
    }

    fileprivate var curve: String {
        switch self {
        case .p256: "P-256"
        case .ed25519: "Ed25519"
        }
    }

    fileprivate var coordinates: (x: String, y: String?) {
        switch self {
        case .p256(let key):
            let point = key.rawRepresentation
            return (Base64URL.encode(point.prefix(32)), Base64URL.encode(point.suffix(32)))
        case .ed25519(let key):
            return (Base64URL.encode(key.rawRepresentation), nil)
        }
    }
}

extension JSONWebKey: Hashable {
    private var identity: [String] { [id, material.curve, material.coordinates.x, material.coordinates.y ?? ""] }

    public static func == (left: Self, right: Self) -> Bool { left.identity == right.identity }

    public func hash(into hasher: inout Hasher) { hasher.combine(identity) }
}

extension JSONWebKey: Codable {
    private enum CodingKeys: String, CodingKey {
        case keyType = "kty"
        case curve = "crv"
        case x, y
        case id = "kid"
        case algorithm = "alg"
        case use
    }

    /// - Throws: `DecodingError` for a key of another type, curve, algorithm or use, without `kid`, or off its curve.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let id = try container.decode(String.self, forKey: .id)
        let x = try container.decode(String.self, forKey: .x)
        let kind = [try container.decode(String.self, forKey: .keyType), try container.decode(String.self, forKey: .curve)]
        switch (kind, Base64URL.decode(x)) {
        case (["EC", "P-256"], let x?):
            guard let y = Base64URL.decode(try container.decode(String.self, forKey: .y)), x.count == 32, y.count == 32 else { fallthrough }
            self.init(try P256.Signing.PublicKey(rawRepresentation: x + y), id: id)
        case (["OKP", "Ed25519"], let x?):
            self.init(try Curve25519.Signing.PublicKey(rawRepresentation: x), id: id)
        default:
            throw DecodingError.dataCorruptedError(forKey: .keyType, in: container, debugDescription: "not a P-256 or Ed25519 public key")
        }
        let use = try container.decodeIfPresent(String.self, forKey: .use) ?? "sig"
        let algorithm = try container.decodeIfPresent(String.self, forKey: .algorithm) ?? algorithm
        guard use == "sig", algorithm == self.algorithm else {
            throw DecodingError.dataCorruptedError(
                forKey: .algorithm, in: container, debugDescription: "not a key for ES256 or EdDSA signatures")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(material.keyType, forKey: .keyType)
        try container.encode(material.curve, forKey: .curve)
        try container.encode(material.coordinates.x, forKey: .x)
        try container.encodeIfPresent(material.coordinates.y, forKey: .y)
        try container.encode(id, forKey: .id)
        try container.encode(algorithm, forKey: .algorithm)
        try container.encode("sig", forKey: .use)
    }
}
