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
        /// Where the name of the member that was begun last is written, for the paths of errors.
        var nameOffset = 0
    }

    // Nothing but this class's own straight code runs while one of these is changed, so that two changes cannot overlap; and looking for
    // that at every access was a third of the time of an encoding.
    @exclusivity(unchecked) private var writer = JSONWriter(capacity: 512)
    /// The innermost open container. It is apart from the others because every member changes it.
    @exclusivity(unchecked) private var innermost = Level(place: 0, isObject: false, isOrdered: false)
    /// The containers around it, from the outermost; the first stands for the top of the text, so that there are as many as the depth.
    @exclusivity(unchecked) private var outer: [Level] = []
    /// Of the open dictionaries, from the outermost.
    @exclusivity(unchecked) private var orders: [JSONMemberOrder] = []
    /// The place that waits for its value; 0 for none.
    @exclusivity(unchecked) private var pending: UInt32 = 1
    @exclusivity(unchecked) private var lastPlace: UInt32 = 1
    /// A mistake in a call that cannot throw.
    @exclusivity(unchecked) private var mistake: EncodingError?

    init() {
        outer.reserveCapacity(8)
    }

    func text<Value: Encodable>(of value: Value) throws -> [UInt8] {
        try write(value, at: JSONPlace(session: self, depth: 0, number: pending))
        guard pending != 1 else { throw invalid(value, "it encodes nothing", depth: 0) }
        close(to: 0)
        if let mistake { throw mistake }
        return writer.bytes
    }

    /// The names and indexes that lead from the top into so many containers.
    func path(depth: UInt32) -> [any CodingKey] {
        (outer.dropFirst() + (outer.isEmpty ? [] : [innermost])).prefix(Int(depth)).compactMap { level in
            guard level.count > 0 else { return nil }
            return level.isObject ? JSONKey(stringValue: writer.string(at: level.nameOffset)) : JSONKey(intValue: level.count - 1)
        }
    }

    func count(of container: JSONPlace) -> Int {
        isOpen(container) ? level(of: container).count : 0
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
        let (level, length) = (innermost, writer.bytes.count)
        try begin(in: container, name: name)
        let place = newPlace()
        do {
            try write(value, at: place)
        } catch {
            takeBack(to: level, of: container, length: length)
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
        if innermost.count > 0 { writer.append(byte: ",") }
        innermost.count += 1
        guard let name else { return }
        innermost.nameOffset = writer.bytes.count
        if innermost.isOrdered { orders[orders.count - 1].add(name, at: writer.bytes.count) }
        writer.append(name: name)
    }

    /// Brings back what was there when the container had written `length` bytes. What has been closed in between stays.
    private func takeBack(to level: Level, of container: JSONPlace, length: Int) {
        guard isOpen(container) else { return }
        pending = 0
        while outer.count > Int(container.depth) {
            if innermost.isOrdered { orders.removeLast() }
            innermost = outer.removeLast()
        }
        innermost = level
        if level.isOrdered { orders[orders.count - 1].removeAll(from: length) }
        writer.bytes.removeSubrange(length...)
    }

    // MARK: Values

    /// The types that JSON writes in another way than their own `Codable` does come first.
    func write<Value: Encodable>(_ value: Value, at place: JSONPlace) throws {
        let type = Value.self
        if type == Decimal.self || type == JSONValue.self || type == URL.self || type == Data.self {
            return try writeSpecial(value, at: place)
        }
        try value.encode(to: place)
    }

    /// Apart from its caller, which must stay small: every value goes through it.
    @inline(never)
    private func writeSpecial(_ value: any Encodable, at place: JSONPlace) throws {
        try take(place)
        switch value {
        case let decimal as Decimal:
            guard writer.append(decimal) else { throw invalid(value, "it is no number", depth: place.depth) }
        case let json as JSONValue:
            guard writer.append(json) else { throw invalid(value, "a number in it is none", depth: place.depth) }
        case let url as URL: writer.append(string: url.absoluteString)
        case let data as Data: writer.append(string: data.base64EncodedString())
        default: throw closed(place)
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
            outer.append(innermost)
            innermost = Level(place: place.number, isObject: isObject, isOrdered: isOrdered)
            if isOrdered { orders.append(JSONMemberOrder()) }
            writer.append(byte: isObject ? "{" : "[")
        } else if !isOpen(container) || level(of: container).isObject != isObject {
            mistake = mistake ?? closed(place)
            return JSONPlace(session: self, depth: container.depth, number: .max)
        }
        return container
    }

    // MARK: Places

    @inline(__always)
    private func isOpen(_ container: JSONPlace) -> Bool {
        container.depth <= outer.count && level(of: container).place == container.number
    }

    @inline(__always)
    private func level(of container: JSONPlace) -> Level {
        container.depth == outer.count ? innermost : outer[Int(container.depth)]
    }

    /// Closes all that stands in a container, so that it can go on.
    @inline(__always)
    private func settle(_ container: JSONPlace) {
        if pending != 0 || outer.count > Int(container.depth), isOpen(container) { close(to: Int(container.depth)) }
    }

    private func newPlace() -> JSONPlace {
        lastPlace += 1
        pending = lastPlace
        return JSONPlace(session: self, depth: UInt32(outer.count), number: lastPlace)
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
        while outer.count > depth {
            if innermost.isOrdered { orders.removeLast().apply(to: &writer) }
            writer.append(byte: innermost.isObject ? "}" : "]")
            innermost = outer.removeLast()
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
