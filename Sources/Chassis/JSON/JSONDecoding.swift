public import Foundation

// Decoding without a tree: the text is parsed into tokens (see JSONParser.swift), and a `Decoder` is no more than a reference to them and
// the index of one. Reading a member compares the key's UTF-8 with the names in the text, from the name that was found last; a value is
// made from its bytes when it is asked for. Nobody keeps the path on the way down: it is found again when an error wants it.

extension JSON {
    /// Decodes a value from JSON text.
    ///
    /// Strict where `JSONDecoder` is lenient: see ``JSONError``; a name that stands twice in an object is an error, and a `Decimal` is exact
    /// or an error.
    /// - Throws: ``JSONError`` when the text is no JSON, `DecodingError` when it is not what `type` asks for, and what `type` throws.
    public static func decode<Value: Decodable>(_ type: Value.Type = Value.self, from bytes: [UInt8]) throws -> Value {
        let session = JSONDecodingSession(try JSONTokens(parsing: bytes))
        return try session.decode(type, at: 0)
    }

    public static func decode<Value: Decodable>(_ type: Value.Type = Value.self, from data: Data) throws -> Value {
        try decode(type, from: [UInt8](data))
    }

    public static func decode<Value: Decodable>(_ type: Value.Type = Value.self, from text: String) throws -> Value {
        try decode(type, from: Array(text.utf8))
    }
}

/// What all decoders and containers of one text share.
final class JSONDecodingSession {
    let text: JSONTokens
    /// For each object, by its token, the name that was found last: members are mostly read in the order in which they were written, and
    /// a container of `Decoder` cannot remember anything itself, because its methods do not mutate it.
    private let lastFound: UnsafeMutableBufferPointer<UInt32>

    init(_ text: JSONTokens) {
        self.text = text
        lastFound = .allocate(capacity: text.tokens.count)
        lastFound.initialize(repeating: 0)
    }

    deinit {
        lastFound.deallocate()
    }

    // MARK: Values

    /// A value of any type. The types that JSON writes in another way than their own `Codable` does come first.
    func decode<Value: Decodable>(_ type: Value.Type, at index: Int) throws -> Value {
        if type == Decimal.self || type == JSONValue.self || type == URL.self || type == Data.self {
            return try decodeSpecial(type, at: index)
        }
        return try Value(from: JSONValueDecoder(session: self, index: index))
    }

    /// Apart from its caller, because a cast to `Value` costs a look-up of its `Optional` on entry, even where it is never reached.
    @inline(never)
    private func decodeSpecial<Value: Decodable>(_ type: Value.Type, at index: Int) throws -> Value {
        let value: any Decodable
        if type == Decimal.self {
            value = try decimal(at: index)
        } else if type == JSONValue.self {
            value = try jsonValue(at: index)
        } else if type == URL.self {
            value = try url(at: index)
        } else {
            value = try data(at: index)
        }
        guard let value = value as? Value else { throw mismatch(type, at: index) }
        return value
    }

    func isNull(at index: Int) -> Bool { text[index].kind == .null }

    @inline(__always)
    func string(at index: Int) throws -> String {
        let token = text[index]
        guard token.kind == .string else { throw mismatch(String.self, at: index) }
        return text.string(token)
    }

    func bool(at index: Int) throws -> Bool {
        switch text[index].kind {
        case .yes: true
        case .no: false
        default: throw mismatch(Bool.self, at: index)
        }
    }

    @inline(__always)
    func integer<Integer: FixedWidthInteger>(_ type: Integer.Type, at index: Int) throws -> Integer {
        let token = text[index]
        guard token.kind == .integer || token.kind == .number else { throw mismatch(type, at: index) }
        guard let value = text.integer(token, as: type) else { throw corrupted("the number does not fit \(type)", at: index) }
        return value
    }

    func floatingPoint<Number: BinaryFloatingPoint & LosslessStringConvertible>(_ type: Number.Type, at index: Int) throws -> Number {
        let token = try number(type, at: index)
        guard let value = text.floatingPoint(token, as: type) else { throw corrupted("the number does not fit \(type)", at: index) }
        return value
    }

    private func decimal(at index: Int) throws -> Decimal {
        guard let value = text.decimal(try number(Decimal.self, at: index)) else { throw corrupted("the number is too long", at: index) }
        return value
    }

    private func url(at index: Int) throws -> URL {
        guard let value = URL(string: try string(at: index)) else { throw corrupted("the text is no URL", at: index) }
        return value
    }

    private func data(at index: Int) throws -> Data {
        guard let value = Data(base64Encoded: try string(at: index)) else { throw corrupted("the text is not base64", at: index) }
        return value
    }

    private func jsonValue(at index: Int) throws -> JSONValue {
        do {
            return try JSONValue(text, at: index)
        } catch {
            throw corrupted(error.reason.rawValue, at: index)
        }
    }

    private func number(_ type: Any.Type, at index: Int) throws -> JSONToken {
        let token = text[index]
        guard token.kind == .integer || token.kind == .number else { throw mismatch(type, at: index) }
        return token
    }

    // MARK: Members

    /// The index of a member's value; nil when the object has no such member.
    @inline(__always)
    func member(_ name: String, ofObject object: Int) -> Int? {
        guard let found = text.name(name, inObject: object, from: max(Int(lastFound[object]), object + 1)) else { return nil }
        lastFound[object] = UInt32(found)
        return found + 1
    }

    @inline(__always)
    func requiredMember(_ key: some CodingKey, ofObject object: Int) throws -> Int {
        guard let index = member(key.stringValue, ofObject: object) else { throw missing(key, inObject: object) }
        return index
    }

    // MARK: Errors

    @inline(never)
    private func missing(_ key: some CodingKey, inObject object: Int) -> DecodingError {
        let reason = "the member \"\(key.stringValue)\" is missing"
        return .keyNotFound(key, DecodingError.Context(codingPath: text.path(to: object), debugDescription: reason))
    }

    func mismatch(_ type: Any.Type, at index: Int) -> DecodingError {
        let kind = text[index].kind
        let context = DecodingError.Context(codingPath: text.path(to: index), debugDescription: "expected \(type), found \(kind.name)")
        return kind == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    func corrupted(_ reason: String, at index: Int) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: text.path(to: index), debugDescription: reason))
    }
}

extension JSONToken.Kind {
    fileprivate var name: String {
        switch self {
        case .null: "null"
        case .no, .yes: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
