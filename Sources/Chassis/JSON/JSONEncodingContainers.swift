// The two common integers have methods of their own beside the one for all widths: what serves a requirement of the protocol as a generic
// function is not specialized.

/// A place of the text where a value must come, as its type's `encode(to:)` sees it; or a container, by its depth and the place where it
/// stands. Small enough that an existential holds it without allocating.
struct JSONPlace: Encoder, SingleValueEncodingContainer {
    let session: JSONEncodingSession
    /// How many containers are around a place; for a container, itself among them.
    let depth: UInt32
    let number: UInt32

    var codingPath: [any CodingKey] { session.path(depth: depth) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        let isOrdered = ObjectIdentifier(type) == JSONMemberOrder.dictionaryKey
        return KeyedEncodingContainer(
            JSONKeyedEncoding<Key>(container: session.open(at: self, isObject: true, isOrdered: isOrdered)))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        JSONUnkeyedEncoding(container: session.open(at: self, isObject: false, isOrdered: false))
    }
    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    func encodeNil() throws { try session.append(at: self) { $0.appendNull() } }
    func encode(_ value: Bool) throws { try session.append(at: self) { $0.append(value) } }
    func encode(_ value: String) throws { try session.append(at: self) { $0.append(string: value) } }
    func encode(_ value: Double) throws { try session.appendFinite(value, at: self) }
    func encode(_ value: Float) throws { try session.appendFinite(value, at: self) }
    func encode(_ value: Int) throws { try session.append(at: self) { $0.append(value) } }
    func encode(_ value: Int64) throws { try session.append(at: self) { $0.append(value) } }
    func encode<Value: FixedWidthInteger & Encodable>(_ value: Value) throws { try session.append(at: self) { $0.append(value) } }
    func encode<Value: Encodable>(_ value: Value) throws { try session.write(value, at: self) }
}

/// The members of an object.
struct JSONKeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let container: JSONPlace

    private var session: JSONEncodingSession { container.session }
    var codingPath: [any CodingKey] { session.path(depth: container.depth - 1) }

    func encodeNil(forKey key: Key) throws { try session.append(in: container, name: key.stringValue) { $0.appendNull() } }
    func encode(_ value: Bool, forKey key: Key) throws {
        try session.append(in: container, name: key.stringValue) { $0.append(value) }
    }
    func encode(_ value: String, forKey key: Key) throws {
        try session.append(in: container, name: key.stringValue) { $0.append(string: value) }
    }
    func encode(_ value: Double, forKey key: Key) throws {
        try session.appendFinite(value, in: container, name: key.stringValue)
    }
    func encode(_ value: Float, forKey key: Key) throws {
        try session.appendFinite(value, in: container, name: key.stringValue)
    }
    func encode(_ value: Int, forKey key: Key) throws {
        try session.append(in: container, name: key.stringValue) { $0.append(value) }
    }
    func encode(_ value: Int64, forKey key: Key) throws {
        try session.append(in: container, name: key.stringValue) { $0.append(value) }
    }
    func encode<Value: FixedWidthInteger & Encodable>(_ value: Value, forKey key: Key) throws {
        try session.append(in: container, name: key.stringValue) { $0.append(value) }
    }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try session.encode(value, in: container, name: key.stringValue)
    }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) -> KeyedEncodingContainer<NestedKey> {
        session.place(in: container, name: key.stringValue).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        session.place(in: container, name: key.stringValue).unkeyedContainer()
    }
    func superEncoder() -> any Encoder { session.place(in: container, name: JSONKey.superclass.stringValue) }
    func superEncoder(forKey key: Key) -> any Encoder { session.place(in: container, name: key.stringValue) }
}

/// The elements of an array.
struct JSONUnkeyedEncoding: UnkeyedEncodingContainer {
    let container: JSONPlace

    private var session: JSONEncodingSession { container.session }
    var codingPath: [any CodingKey] { session.path(depth: container.depth - 1) }
    var count: Int { session.count(of: container) }

    func encodeNil() throws { try session.append(in: container, name: nil) { $0.appendNull() } }
    func encode(_ value: Bool) throws { try session.append(in: container, name: nil) { $0.append(value) } }
    func encode(_ value: String) throws { try session.append(in: container, name: nil) { $0.append(string: value) } }
    func encode(_ value: Double) throws { try session.appendFinite(value, in: container, name: nil) }
    func encode(_ value: Float) throws { try session.appendFinite(value, in: container, name: nil) }
    func encode(_ value: Int) throws { try session.append(in: container, name: nil) { $0.append(value) } }
    func encode(_ value: Int64) throws { try session.append(in: container, name: nil) { $0.append(value) } }
    func encode<Value: FixedWidthInteger & Encodable>(_ value: Value) throws {
        try session.append(in: container, name: nil) { $0.append(value) }
    }
    func encode<Value: Encodable>(_ value: Value) throws { try session.encode(value, in: container, name: nil) }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        session.place(in: container, name: nil).container(keyedBy: type)
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { session.place(in: container, name: nil).unkeyedContainer() }
    func superEncoder() -> any Encoder { session.place(in: container, name: nil) }
}

extension JSONEncodingSession {
    fileprivate func appendFinite(_ number: some BinaryFloatingPoint & CustomStringConvertible, at place: JSONPlace) throws {
        guard number.isFinite else { throw invalid(number, "JSON has no such number", depth: place.depth) }
        try append(at: place) { $0.append(number) }
    }

    fileprivate func appendFinite<Number: BinaryFloatingPoint & CustomStringConvertible & Encodable>(
        _ number: Number, in container: JSONPlace, name: String?
    ) throws {
        // By the longer way it fails as a value does: leaving no name behind, and with its own path.
        guard number.isFinite else { return try encode(number, in: container, name: name) }
        try append(in: container, name: name) { $0.append(number) }
    }
}
