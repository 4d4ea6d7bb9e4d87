/// Why a token is not accepted.
///
/// All but `keysUnavailable` are the token's fault and mean 401. `keysUnavailable` says nothing about the token: the keys to judge it
/// with cannot be had now, which is a 503.
public enum TokenError: Error, Sendable, Hashable, CaseIterable {
    /// Not a compact JWS with the claims that must be there, too large, or with a `crit` header (which asks for what we do not know).
    case malformed
    /// The algorithm is not on the list for this kind of token, or not the one of the key that `kid` names.
    case wrongAlgorithm
    /// No published key has this `kid`.
    case unknownKey
    case badSignature
    case expired
    /// `nbf` or `iat` lies further in the future than clocks may differ.
    case notYetValid
    case wrongIssuer
    case wrongAudience
    /// The `typ` header names another kind of token.
    case wrongType
    case keysUnavailable

    /// The reason for a person. It has neither quotes nor backslashes, so that it can stand in a `WWW-Authenticate` header.
    public var sentence: String {
        switch self {
        case .malformed: "The access token is malformed"
        case .wrongAlgorithm: "The access token is signed with an algorithm that is not accepted"
        case .unknownKey: "The access token is signed with an unknown key"
        case .badSignature: "The signature of the access token is wrong"
        case .expired: "The access token has expired"
        case .notYetValid: "The access token is not valid yet"
        case .wrongIssuer: "The access token comes from another issuer"
        case .wrongAudience: "The access token is meant for another audience"
        case .wrongType: "This kind of token is not accepted here"
        case .keysUnavailable: "Access tokens cannot be checked at the moment"
        }
    }
}
