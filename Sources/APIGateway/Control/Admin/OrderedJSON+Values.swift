import Chassis
import Commerce
import NIOCore

/// Values of Swift as a document shows them.
extension OrderedJSON {
    static let null = OrderedJSON.other("null")

    static func number(_ number: Int) -> OrderedJSON { .other(String(number)) }

    static func bool(_ bool: Bool) -> OrderedJSON { .other(bool ? "true" : "false") }

    static func text(_ text: String?) -> OrderedJSON { text.map(OrderedJSON.string) ?? .null }

    static func texts(_ texts: some Sequence<String>) -> OrderedJSON { .array(texts.map(OrderedJSON.string)) }

    /// In seconds, with a fraction where there is one.
    static func seconds(_ time: TimeAmount?) -> OrderedJSON {
        guard let time else { return .null }
        let seconds = (Double(time.nanoseconds) / 1_000_000_000).description
        return .other(seconds.hasSuffix(".0") ? String(seconds.dropLast(2)) : seconds)
    }

    /// As RFC 3339 writes it.
    static func time(_ time: Timestamp?) -> OrderedJSON { .text(time?.description) }

    /// Members without a value are left out.
    static func members(_ members: KeyValuePairs<String, OrderedJSON?>) -> OrderedJSON {
        .object(members.compactMap { name, value in value.map { Member(name: name, value: $0) } })
    }

    /// The same document with every text, but no name, as `change` makes it.
    func mapTexts(_ change: (String) -> String) -> OrderedJSON {
        switch self {
        case .string(let text): .string(change(text))
        case .array(let elements): .array(elements.map { $0.mapTexts(change) })
        case .object(let members): .object(members.map { Member(name: $0.name, value: $0.value.mapTexts(change)) })
        case .other: self
        }
    }
}
