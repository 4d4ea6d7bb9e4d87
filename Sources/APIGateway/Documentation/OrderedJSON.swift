import Chassis

/// JSON whose members stay in the order in which somebody wrote them: that of a document is part of what it tells its readers.
enum OrderedJSON: Sendable {
    struct Member: Sendable {
        let name: String
        var value: OrderedJSON
    }

    case object([Member])
    case array([OrderedJSON])
    case string(String)
    /// A number, `true`, `false` or `null`, as it was written.
    case other(String)

    // MARK: Looking into it

    /// None of anything but an object.
    var members: [Member] {
        if case .object(let members) = self { members } else { [] }
    }

    /// None of anything but an array.
    var elements: [OrderedJSON] {
        if case .array(let elements) = self { elements } else { [] }
    }

    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The member of this name; nil when there is none, or this is no object.
    subscript(_ name: String) -> OrderedJSON? {
        members.first { $0.name == name }?.value
    }

    // MARK: From and to text

    init(parsing bytes: [UInt8]) throws(JSONError) {
        self.init(try JSONDocument(parsing: bytes).root)
    }

    private init(_ value: JSONDocument.Value) {
        if let text = value.string() {
            self = .string(text)
        } else if value.isObject {
            var members: [Member] = []
            value.forEachMember { members.append(Member(name: $0, value: OrderedJSON($1))) }
            self = .object(members)
        } else if value.isArray {
            var elements: [OrderedJSON] = []
            value.forEachElement { elements.append(OrderedJSON($0)) }
            self = .array(elements)
        } else {
            self = .other(value.rawText())
        }
    }

    func write(to writer: inout JSONWriter) {
        switch self {
        case .string(let text): writer.append(string: text)
        case .other(let text): writer.append(raw: text)
        case .array(let elements):
            writer.append(raw: "[")
            for (index, element) in elements.enumerated() {
                if index > 0 { writer.append(raw: ",") }
                element.write(to: &writer)
            }
            writer.append(raw: "]")
        case .object(let members):
            writer.append(raw: "{")
            for (index, member) in members.enumerated() {
                if index > 0 { writer.append(raw: ",") }
                writer.append(name: member.name)
                member.value.write(to: &writer)
            }
            writer.append(raw: "}")
        }
    }

    /// The same value as text, without white space.
    var bytes: [UInt8] {
        var writer = JSONWriter(capacity: 1 << 12)
        write(to: &writer)
        return writer.bytes
    }
}

// MARK: - Comparing

extension OrderedJSON: Equatable {
    /// The order of members makes no difference to what is said (RFC 8259, section 4); `1` and `1.0` are taken for two.
    static func == (one: OrderedJSON, other: OrderedJSON) -> Bool {
        switch (one, other) {
        case (.string(let one), .string(let other)), (.other(let one), .other(let other)): one == other
        case (.array(let one), .array(let other)): one == other
        case (.object(let one), .object):
            one.count == other.members.count && one.allSatisfy { other[$0.name] == $0.value }
        default: false
        }
    }
}

// MARK: - In Swift

extension OrderedJSON: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    init(stringLiteral text: String) { self = .string(text) }
    init(arrayLiteral elements: OrderedJSON...) { self = .array(elements) }
    init(dictionaryLiteral members: (String, OrderedJSON)...) { self = .object(members.map { Member(name: $0.0, value: $0.1) }) }
}
