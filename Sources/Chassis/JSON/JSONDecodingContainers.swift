// The two common integers have methods of their own beside the one for all widths: what serves a requirement of the protocol as a generic
// function is not specialized.

/// One value of the text, as its type's `init(from:)` sees it. Small enough that an existential holds it without allocating.
struct JSONValueDecoder: Decoder, SingleValueDecodingContainer {
    let session: JSONDecodingSession
    let index: Int

    var codingPath: [any CodingKey] { session.text.path(to: index) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(try JSONKeyedDecoding<Key>(session: session, object: index))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try JSONUnkeyedDecoding(session: session, array: index) }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    func decodeNil() -> Bool { session.isNull(at: index) }
    func decode(_ type: Bool.Type) throws -> Bool { try session.bool(at: index) }
    func decode(_ type: String.Type) throws -> String { try session.string(at: index) }
    func decode(_ type: Double.Type) throws -> Double { try session.floatingPoint(type, at: index) }
    func decode(_ type: Float.Type) throws -> Float { try session.floatingPoint(type, at: index) }
    func decode(_ type: Int.Type) throws -> Int { try session.integer(type, at: index) }
    func decode(_ type: Int64.Type) throws -> Int64 { try session.integer(type, at: index) }
    func decode<Value: FixedWidthInteger & Decodable>(_ type: Value.Type) throws -> Value { try session.integer(type, at: index) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try session.decode(type, at: index) }
}

/// The members of an object.
struct JSONKeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let session: JSONDecodingSession
    private let object: Int

    init(session: JSONDecodingSession, object: Int) throws {
        guard session.text[object].kind == .object else { throw session.mismatch([String: Any].self, at: object) }
        self.session = session
        self.object = object
    }

    var codingPath: [any CodingKey] { session.text.path(to: object) }

    var allKeys: [Key] {
        var keys: [Key] = []
        var name = object + 1
        while name < Int(session.text[object].next) {
            if let key = Key(stringValue: session.text.string(session.text[name])) { keys.append(key) }
            name = Int(session.text[name + 1].next)
        }
        return keys
    }

    func contains(_ key: Key) -> Bool { session.member(key.stringValue, ofObject: object) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { session.isNull(at: try session.requiredMember(key, ofObject: object)) }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        try session.bool(at: try session.requiredMember(key, ofObject: object))
    }
    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try session.string(at: try session.requiredMember(key, ofObject: object))
    }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        try session.floatingPoint(type, at: try session.requiredMember(key, ofObject: object))
    }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
        try session.floatingPoint(type, at: try session.requiredMember(key, ofObject: object))
    }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int {
        try session.integer(type, at: try session.requiredMember(key, ofObject: object))
    }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 {
        try session.integer(type, at: try session.requiredMember(key, ofObject: object))
    }
    func decode<Value: FixedWidthInteger & Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try session.integer(type, at: try session.requiredMember(key, ofObject: object))
    }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try session.decode(type, at: try session.requiredMember(key, ofObject: object))
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        KeyedDecodingContainer(
            try JSONKeyedDecoding<NestedKey>(session: session, object: try session.requiredMember(key, ofObject: object)))
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try JSONUnkeyedDecoding(session: session, array: try session.requiredMember(key, ofObject: object))
    }

    func superDecoder() throws -> any Decoder {
        JSONValueDecoder(session: session, index: try session.requiredMember(JSONKey.superclass, ofObject: object))
    }
    func superDecoder(forKey key: Key) throws -> any Decoder {
        JSONValueDecoder(session: session, index: try session.requiredMember(key, ofObject: object))
    }
}

/// The elements of an array, one after the other.
struct JSONUnkeyedDecoding: UnkeyedDecodingContainer {
    private let session: JSONDecodingSession
    private let array: Int
    private var element: Int
    private(set) var currentIndex = 0

    init(session: JSONDecodingSession, array: Int) throws {
        guard session.text[array].kind == .array else { throw session.mismatch([Any].self, at: array) }
        self.session = session
        self.array = array
        element = array + 1
    }

    var codingPath: [any CodingKey] { session.text.path(to: array) }
    var count: Int? { Int(session.text[array].count) }
    var isAtEnd: Bool { element == Int(session.text[array].next) }

    /// Null is an element of its own; anything else stays for the next call.
    mutating func decodeNil() throws -> Bool {
        try requireElement(Any?.self)
        guard session.isNull(at: element) else { return false }
        advance()
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try next(type) { try $0.bool(at: $1) } }
    mutating func decode(_ type: String.Type) throws -> String { try next(type) { try $0.string(at: $1) } }
    mutating func decode(_ type: Double.Type) throws -> Double { try next(type) { try $0.floatingPoint(type, at: $1) } }
    mutating func decode(_ type: Float.Type) throws -> Float { try next(type) { try $0.floatingPoint(type, at: $1) } }
    mutating func decode(_ type: Int.Type) throws -> Int { try next(type) { try $0.integer(type, at: $1) } }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try next(type) { try $0.integer(type, at: $1) } }
    mutating func decode<Value: FixedWidthInteger & Decodable>(_ type: Value.Type) throws -> Value {
        try next(type) { try $0.integer(type, at: $1) }
    }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next(type) { try $0.decode(type, at: $1) } }

    mutating func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) throws -> KeyedDecodingContainer<NestedKey> {
        try next([String: Any].self) { KeyedDecodingContainer(try JSONKeyedDecoding<NestedKey>(session: $0, object: $1)) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next([Any].self) { try JSONUnkeyedDecoding(session: $0, array: $1) }
    }

    mutating func superDecoder() throws -> any Decoder { try next((any Decoder).self) { JSONValueDecoder(session: $0, index: $1) } }

    /// An element that cannot be read stays the next one, so that it can be read as something else.
    @inline(__always)
    private mutating func next<Value>(_ type: Any.Type, _ read: (JSONDecodingSession, Int) throws -> Value) throws -> Value {
        try requireElement(type)
        let value = try read(session, element)
        advance()
        return value
    }

    private mutating func advance() {
        element = Int(session.text[element].next)
        currentIndex += 1
    }

    private func requireElement(_ type: Any.Type) throws {
        guard !isAtEnd else {
            let path = codingPath + [JSONKey(intValue: currentIndex) as any CodingKey]
            throw DecodingError.valueNotFound(type, DecodingError.Context(codingPath: path, debugDescription: "the array ends before"))
        }
    }
}
