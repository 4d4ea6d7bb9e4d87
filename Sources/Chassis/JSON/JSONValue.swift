public import Foundation

/// Any JSON document, with numbers kept exact. What request bodies are read from, so that all their mistakes can be told at once.
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A whole number within 64 bits, however it is written: `1`, `1.0` and `10e-1` are the same.
    case integer(Int64)
    /// A number with a fraction, or beyond 64 bits.
    case decimal(Decimal)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

// MARK: - From text

extension JSONValue {
    /// Reads a text straight into a value.
    /// - Throws: ``JSONError`` for what is no JSON, and for a number that no `Decimal` holds exactly: of more than 38 digits or beyond 10^±127.
    public static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        try JSONValue(try JSONTokens(parsing: bytes), at: 0)
    }

    public static func parse(_ data: Data) throws(JSONError) -> JSONValue {
        try parse([UInt8](data))
    }

    public static func parse(_ text: String) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8))
    }

    /// Recurses, which the parser's bound of nesting bounds.
    init(_ text: JSONTokens, at index: Int) throws(JSONError) {
        let token = text[index]
        switch token.kind {
        case .null: self = .null
        case .no: self = .bool(false)
        case .yes: self = .bool(true)
        case .string: self = .string(text.string(token))
        case .integer, .number:
            if let integer = text.integer(token, as: Int64.self) {
                self = .integer(integer)
            } else if let decimal = text.decimal(token) {
                self = .decimal(decimal)
            } else {
                throw JSONError(byteOffset: Int(token.start), reason: .numberTooLong)
            }
        case .array:
            var elements: [JSONValue] = []
            elements.reserveCapacity(Int(token.count))
            var element = index + 1
            while element < Int(token.next) {
                elements.append(try JSONValue(text, at: element))
                element = Int(text[element].next)
            }
            self = .array(elements)
        case .object:
            var members: [String: JSONValue] = Dictionary(minimumCapacity: Int(token.count))
            var name = index + 1
            while name < Int(token.next) {
                members[text.string(text[name])] = try JSONValue(text, at: name + 1)
                name = Int(text[name + 1].next)
            }
            self = .object(members)
        }
    }
}

// MARK: - Codable

/// ``JSON`` reads and writes it without these; they are for other coders, Foundation's among them.
extension JSONValue: Codable {
    public init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: JSONKey.self) {
            var members: [String: JSONValue] = [:]
            for key in object.allKeys { members[key.stringValue] = try object.decode(JSONValue.self, forKey: key) }
            self = .object(members)
            return
        }
        if var array = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !array.isAtEnd { elements.append(try array.decode(JSONValue.self)) }
            self = .array(elements)
            return
        }
        let value = try decoder.singleValueContainer()
        if let integer = try? value.decode(Int64.self) {
            self = .integer(integer)
        } else if let text = try? value.decode(String.self) {
            self = .string(text)
        } else if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else {
            self = .decimal(try value.decode(Decimal.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .integer(let integer): try value.encode(integer)
        case .decimal(let decimal): try value.encode(decimal)
        case .string(let text): try value.encode(text)
        case .array(let elements): try value.encode(elements)
        case .object(let members): try value.encode(members)
        }
    }
}
