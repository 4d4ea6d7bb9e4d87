import Commerce
import Foundation

// Where a page of the catalog begins.
//
// A page starts after the last product of the page before it, named by what the list is ordered by and, among equals, by its id. It is not
// an offset: products that are added or archived meanwhile shift nothing, so a visitor sees each product once, in every order that
// depends on the product alone. (The rank of a match depends on all products too; adding one can move a match across the boundary.)
//
// A cursor is a position as text that a caller passes back unread: base64url of the order's name, the id and the value, parted by `|`.

/// The product that a page begins after.
struct CatalogPosition: Sendable, Hashable {
    /// What the product is ordered by.
    enum Key: Sendable, Hashable {
        case id
        case newest
        case price(thousandths: Int64)
        case priceDescending(thousandths: Int64)
        case name(key: String)
        case relevance(rank: Double)
    }

    let key: Key
    let id: ProductID

    init(key: Key, id: ProductID) {
        self.key = key
        self.id = id
    }

    /// The order in which this is a position.
    // Swift 6.3.1 crashes when it optimises a caller into which this is inlined.
    @inline(never)
    var order: CatalogOrder {
        switch key {
        case .id: .by(.id)
        case .newest: .by(.newest)
        case .price: .by(.price)
        case .priceDescending: .by(.priceDescending)
        case .name: .by(.name)
        case .relevance: .relevance
        }
    }
}

// MARK: - As a cursor

extension CatalogPosition {
    /// Longer text is no cursor of ours: a name has at most 200 characters.
    private static let longestCursor = 4096

    var cursor: String {
        let (order, value) =
            switch key {
            case .id: ("i", "")
            case .newest: ("t", "")
            case .price(let thousandths): ("p", String(thousandths))
            case .priceDescending(let thousandths): ("d", String(thousandths))
            case .name(let key): ("n", key)
            // The bits, because a decimal form might not read back as the very same number.
            case .relevance(let rank): ("r", String(rank.bitPattern))
            }
        return Data("\(order)|\(id)|\(value)".utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Fails on text that is no cursor.
    init?(cursor: String) {
        guard cursor.utf8.count <= Self.longestCursor else { return nil }
        let padding = String(repeating: "=", count: (4 - cursor.utf8.count % 4) % 4)
        let base64 = cursor.replacing("-", with: "+").replacing("_", with: "/") + padding
        guard let bytes = Data(base64Encoded: base64), let text = String(bytes: bytes, encoding: .utf8), !text.utf8.contains(0) else {
            return nil
        }
        let parts = text.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let id = ProductID(parts[1]), let key = Key(parts[0], parts[2]) else { return nil }
        self.init(key: key, id: id)
    }
}

extension CatalogPosition.Key {
    fileprivate init?(_ order: Substring, _ value: Substring) {
        switch order {
        case "i": self = .id
        case "t": self = .newest
        case "n": self = .name(key: String(value))
        case "p", "d":
            guard let thousandths = Int64(value) else { return nil }
            self = order == "p" ? .price(thousandths: thousandths) : .priceDescending(thousandths: thousandths)
        case "r":
            guard let bits = UInt64(value), Double(bitPattern: bits).isFinite else { return nil }
            self = .relevance(rank: Double(bitPattern: bits))
        default: return nil
        }
    }
}
