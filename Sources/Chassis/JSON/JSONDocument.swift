/// A parsed JSON text, to look into without a type: raw pieces can be cut out of it as they stand.
///
///     let document = try JSONDocument(parsing: bytes)
///     try document.root.forEachMember { name, value in
///         if name == "data" { data = value.rawText() }
///     }
///
/// The whole text has been checked, so that every piece of it is valid JSON. Reading is cheap: a value is a place in the text, and strings
/// are made only when asked for.
public struct JSONDocument: Sendable {
    private let text: JSONTokens

    /// - Throws: ``JSONError`` with the place of the first mistake.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        text = try JSONTokens(parsing: bytes)
    }

    public var root: Value { Value(text: text, index: 0) }

    /// One value of the text, of any kind.
    public struct Value: Sendable {
        fileprivate let text: JSONTokens
        fileprivate let index: Int

        public var isNull: Bool { text[index].kind == .null }
        public var isArray: Bool { text[index].kind == .array }
        public var isObject: Bool { text[index].kind == .object }

        /// What a string says; nil for anything else.
        public func string() -> String? {
            text[index].kind == .string ? text.string(text[index]) : nil
        }

        /// A whole number within 64 bits; nil for anything else.
        public func integer() -> Int64? {
            switch text[index].kind {
            case .integer, .number: text.integer(text[index])
            default: nil
            }
        }

        /// The value's own text, byte for byte: `"a"` has its quotes, and white space inside a container is kept.
        public func rawText() -> String {
            String(decoding: rawBytes(), as: UTF8.self)
        }

        /// As ``rawText()``, without a copy.
        public func rawBytes() -> ArraySlice<UInt8> {
            text.bytes[text[index].textRange]
        }

        /// Hands over the elements of an array in their order. Returns false, having called nothing, when the value is no array.
        @discardableResult
        public func forEachElement<Failure: Error>(_ body: (Value) throws(Failure) -> Void) throws(Failure) -> Bool {
            guard isArray else { return false }
            var element = index + 1
            while element < Int(text[index].next) {
                try body(Value(text: text, index: element))
                element = Int(text[element].next)
            }
            return true
        }

        /// Hands over the members of an object in their order; no name comes twice. Returns false, having called nothing, when the value is
        /// no object.
        @discardableResult
        public func forEachMember<Failure: Error>(_ body: (String, Value) throws(Failure) -> Void) throws(Failure) -> Bool {
            guard isObject else { return false }
            var name = index + 1
            while name < Int(text[index].next) {
                try body(text.string(text[name]), Value(text: text, index: name + 1))
                name = Int(text[name + 1].next)
            }
            return true
        }

        /// The member of this name; nil when there is none or the value is no object.
        public func member(_ name: String) -> Value? {
            guard isObject, let found = text.name(name, inObject: index, from: index + 1) else { return nil }
            return Value(text: text, index: found + 1)
        }
    }
}
