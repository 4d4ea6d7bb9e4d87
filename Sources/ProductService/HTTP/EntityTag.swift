import Commerce
import HTTPTypes

// The `ETag` of a product is `"VERSION.STOCK"`: how often its details were changed, and what can be bought now.
//
// It has both parts because the product that a client is shown has both, and a tag must change when the representation does (RFC 9110,
// section 8.8.3): a 304 never hides that something is sold out. A change of details on the other hand is meant for a version of the
// details, and a sale in between takes nothing away from it. So `If-Match` is held against the part before the dot; were it not, nobody
// could change the price of a product while it sells.

/// The entity tag of a product.
struct EntityTag: Sendable, Hashable {
    let version: Int64
    let stock: Int64

    init(of product: Product) {
        version = product.version
        stock = product.available
    }

    /// As it stands in a header, quotes included.
    var text: String { "\"\(version).\(stock)\"" }
}

extension VersionCondition {
    /// What an `If-Match` asks for; no header asks for nothing.
    ///
    /// Weak tags never match (RFC 9110, section 13.1.1), nor does what is no tag of ours.
    init(_ headers: HTTPFields) {
        guard let field = headers[.ifMatch] else {
            self = .any
            return
        }
        let tags = field.split(separator: ",").map { $0.trimmingPrefix(while: \.isWhitespace) }
        if tags.contains(where: { $0.hasPrefix("*") }) {
            self = .any
        } else {
            self = .oneOf(tags.compactMap(Self.version))
        }
    }

    private static func version(of tag: Substring) -> Int64? {
        guard tag.first == "\"", let end = tag.dropFirst().firstIndex(of: "\"") else { return nil }
        return Int64(tag[tag.index(after: tag.startIndex)..<end].prefix { $0 != "." })
    }
}
