public import Foundation

// Encoding without a tree: what a type encodes is appended to the bytes in the moment in which it is encoded.
//
// `Encoder` allows more than a stream can do: containers that are filled in turns, an encoder for the superclass that is used later. What
// keeps the text right is one rule about places. Every place where a value must come has a number, never used twice:
//
//     {"lines":[{"quantity":2},{…
//     1         2 3            4          the places of the object, its member, and the two elements (5, …: their members)
//
// `pending` is the place that waits for its value; whoever holds an encoder of another place is late, and gets an error. A container is
// its depth and its place. Encoding into it closes the deeper ones first; when another container stands at its depth, or none, then it
// has been closed, and encoding into it is an error too. An encoder that is left unused leaves `{}`, as Foundation's does.
//
// A value that fails is taken back with its name and comma, so that a type may catch the error and go on. What is not noticed is a member
// that a type encodes twice: the text then has it twice, and ``JSON`` refuses to read it.

extension JSON {
    /// Encodes a value as UTF-8.
    /// - Throws: `EncodingError` for a number that is none, for a value that encodes nothing, and for encoding into a container that is
    ///   closed because an outer one was written to; and what the value's type throws.
    public static func encodedBytes(_ value: some Encodable) throws -> [UInt8] {
        let session = JSONEncodingSession()
        return try session.text(of: value)
    }

    /// As ``encodedBytes(_:)``.
    public static func encodedData(_ value: some Encodable) throws -> Data {
        Data(try encodedBytes(value))
    }

    /// As ``encodedBytes(_:)``.
    public static func text(_ value: some Encodable) throws -> String {
        String(decoding: try encodedBytes(value), as: UTF8.self)
    }
}

/// What all encoders and containers of one text share; see the essay above.
final class JSONEncodingSession {
    private struct Level {
        let place: UInt32
        let isObject: Bool
        /// A dictionary's members, which are put into order when it closes.
        let isOrdered: Bool
        var count = 0
        /// The member that was begun last, for the paths of errors.
        var name = ""
    }

    private var writer = JSONWriter(capacity: 512)
    private var levels: [Level] = []
    /// Of the open dictionaries, from the outermost.
    private var orders: [JSONMemberOrder] = []
    /// The place that waits for its value; 0 for none.
    private var pending: UInt32 = 1
    private var lastPlace: UInt32 = 1
    /// A mistake in a call that cannot throw.
    private var mistake: EncodingError?

    init() {
        levels.reserveCapacity(8)
    }

    func text<Value: Encodable>(of value: Value) throws -> [UInt8] {
        try write(value, at: JSONPlace(session: self, depth: 0, number: pending))
        guard pending != 1 else { throw invalid(value, "it encodes nothing", depth: 0) }
        close(to: 0)
        if let mistake { throw mistake }
        return writer.bytes
    }

    func path(depth: UInt32) -> [any CodingKey] {
        levels.prefix(Int(depth)).map { $0.isObject ? JSONKey(stringValue: $0.name) : JSONKey(intValue: $0.count - 1) }
    }

    func count(of container: JSONPlace) -> Int {
        isOpen(container) ? levels[Int(container.depth) - 1].count : 0
    }

    // MARK: Members and elements

    /// A member or an element that is written at once.
    @inline(__always)
    func append(in container: JSONPlace, name: String?, _ append: (inout JSONWriter) -> Void) throws {
        try begin(in: container, name: name)
        append(&writer)
    }

    /// A member or an element that encodes itself. If that fails, it is as if it had never begun.
    func encode<Value: Encodable>(_ value: Value, in container: JSONPlace, name: String?) throws {
        settle(container)
        let length = writer.bytes.count
        try begin(in: container, name: name)
        let place = newPlace()
        do {
            try write(value, at: place)
        } catch {
            takeBack(in: container, to: length)
            throw error
        }
        settle(container)
    }

    /// The place of a member or an element that is written later.
    func place(in container: JSONPlace, name: String?) -> JSONPlace {
        do {
            try begin(in: container, name: name)
            return newPlace()
        } catch {
            mistake = mistake ?? error
            return JSONPlace(session: self, depth: container.depth, number: .max)
        }
    }

    @inline(__always)
    private func begin(in container: JSONPlace, name: String?) throws(EncodingError) {
        guard isOpen(container) else { throw closed(container) }
        settle(container)
        let last = levels.count - 1
        if levels[last].count > 0 { writer.append(byte: ",") }
        levels[last].count += 1
        guard let name else { return }
        levels[last].name = name
        if levels[last].isOrdered { orders[orders.count - 1].add(name, at: writer.bytes.count) }
        writer.append(name: name)
    }

    private func takeBack(in container: JSONPlace, to length: Int) {
        guard isOpen(container) else { return }
        pending = 0
        while levels.count > Int(container.depth) {
            if levels.removeLast().isOrdered { orders.removeLast() }
        }
        let last = levels.count - 1
        levels[last].count -= 1
        if levels[last].isOrdered { orders[orders.count - 1].removeLast() }
        writer.bytes.removeSubrange(length...)
    }

    // MARK: Values

    /// The types that JSON writes in another way than their own `Codable` does come first.
    func write<Value: Encodable>(_ value: Value, at place: JSONPlace) throws {
        if Value.self == Decimal.self, let decimal = value as? Decimal {
            try take(place)
            guard writer.append(decimal) else { throw invalid(value, "it is no number", depth: place.depth) }
        } else if Value.self == JSONValue.self, let json = value as? JSONValue {
            try take(place)
            guard writer.append(json) else { throw invalid(value, "a number in it is none", depth: place.depth) }
        } else if Value.self == URL.self, let url = value as? URL {
            try append(at: place) { $0.append(string: url.absoluteString) }
        } else if Value.self == Data.self, let data = value as? Data {
            try append(at: place) { $0.append(string: data.base64EncodedString()) }
        } else {
            try value.encode(to: place)
        }
    }

    /// A value that is written at once.
    func append(at place: JSONPlace, _ append: (inout JSONWriter) -> Void) throws {
        try take(place)
        append(&writer)
    }

    /// Opens a container at a place, or finds the one that stands there already: a type and its superclass may share one.
    func open(at place: JSONPlace, isObject: Bool, isOrdered: Bool) -> JSONPlace {
        let container = JSONPlace(session: self, depth: place.depth + 1, number: place.number)
        if pending == place.number {
            pending = 0
            levels.append(Level(place: place.number, isObject: isObject, isOrdered: isOrdered))
            if isOrdered { orders.append(JSONMemberOrder()) }
            writer.append(byte: isObject ? "{" : "[")
        } else if !isOpen(container) || levels[Int(place.depth)].isObject != isObject {
            mistake = mistake ?? closed(place)
            return JSONPlace(session: self, depth: container.depth, number: .max)
        }
        return container
    }

    // MARK: Places

    private func isOpen(_ container: JSONPlace) -> Bool {
        container.depth <= levels.count && levels[Int(container.depth) - 1].place == container.number
    }

    /// Closes all that stands in a container, so that it can go on.
    @inline(__always)
    private func settle(_ container: JSONPlace) {
        if pending != 0 || levels.count > Int(container.depth), isOpen(container) { close(to: Int(container.depth)) }
    }

    private func newPlace() -> JSONPlace {
        lastPlace += 1
        pending = lastPlace
        return JSONPlace(session: self, depth: UInt32(levels.count), number: lastPlace)
    }

    /// Takes the place that waits, for a value that is written now.
    private func take(_ place: JSONPlace) throws {
        guard pending == place.number else { throw closed(place) }
        pending = 0
    }

    private func close(to depth: Int) {
        if pending != 0 {
            writer.append(raw: "{}")
            pending = 0
        }
        while levels.count > depth {
            let level = levels.removeLast()
            if level.isOrdered { orders.removeLast().apply(to: &writer) }
            writer.append(byte: level.isObject ? "}" : "]")
        }
    }

    // MARK: Errors

    func invalid(_ value: Any, _ reason: String, depth: UInt32) -> EncodingError {
        .invalidValue(value, EncodingError.Context(codingPath: path(depth: depth), debugDescription: "\(type(of: value)): \(reason)"))
    }

    private func closed(_ place: JSONPlace) -> EncodingError {
        let reason = "its place in the text has been closed or has a value already"
        return .invalidValue(place, EncodingError.Context(codingPath: path(depth: place.depth), debugDescription: reason))
    }
}
