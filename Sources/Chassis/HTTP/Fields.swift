public import Commerce
public import Foundation

/// The members of a JSON object from outside, read one by one, with every mistake kept until all are known.
///
/// ```swift
/// init(_ fields: Fields) throws {
///     let name = fields.string("name", length: 1...200)
///     let stock = fields.integer("stock", in: 0...1_000_000)
///     (self.name, self.stock) = try fields.all(name, stock)
/// }
/// ```
/// A required member that is missing or wrong reads as nil and leaves a mistake; `all` throws the 400 that lists them.
/// Members that nobody reads are ignored.
public final class Fields {
    private let members: [String: JSONValue]
    private let pointer: String
    private let mistakes: MistakeList

    /// The mistakes of one request, shared by the readers of its nested objects.
    final class MistakeList {
        var all: [Problem.Mistake] = []
    }

    init(_ members: [String: JSONValue], pointer: String = "", mistakes: MistakeList = MistakeList()) {
        self.members = members
        self.pointer = pointer
        self.mistakes = mistakes
    }

    // MARK: Ending

    /// The values when there was no mistake; else throws the problem that lists all of them.
    public func all<each Value>(_ values: repeat (each Value)?) throws(Problem) -> (repeat each Value) {
        try finish()
        func unwrap<One>(_ value: One?) throws(Problem) -> One {
            // A required member that reads as nil has left a mistake, so `finish` has thrown; this is for a caller that passes another nil.
            guard let value else { throw .invalid(pointer, "is incomplete") }
            return value
        }
        return (repeat try unwrap(each values))
    }

    /// Throws the problem that lists all mistakes, if there was one.
    public func finish() throws(Problem) {
        guard mistakes.all.isEmpty else { throw .invalid(mistakes.all) }
    }

    /// Adds a mistake that only the reader of several members can see.
    public func mistake(_ name: String, _ detail: String) {
        mistakes.all.append(Problem.Mistake(pointer: path(name), detail: detail))
    }

    // MARK: Presence

    /// Whether the member is there, `null` included.
    public func has(_ name: String) -> Bool { members[name] != nil }

    /// Whether the member is there and is `null`.
    public func isNull(_ name: String) -> Bool { members[name] == .null }

    // MARK: Required members

    /// - Parameter length: in Unicode code points, which is what JSON Schema and the API's documents count, and what bounds the bytes, too.
    public func string(_ name: String, length: ClosedRange<Int>) -> String? {
        required(name) { self.readString($0, name, length) }
    }

    public func integer(_ name: String, in range: ClosedRange<Int64>) -> Int64? {
        required(name) { self.readInteger($0, name, range) }
    }

    public func bool(_ name: String) -> Bool? {
        required(name) { self.readBool($0, name) }
    }

    public func quantity(_ name: String) -> Quantity? {
        integer(name, in: 1...Quantity.largest).flatMap(Quantity.init(rawValue:))
    }

    public func id<Entity>(_ name: String, of entity: Entity.Type = Entity.self) -> Identifier<Entity>? {
        integer(name, in: 1...Int64.max).flatMap(Identifier<Entity>.init(rawValue:))
    }

    /// An amount in major units of `currency`; see `Money.init(majorUnits:currency:)`.
    public func money(_ name: String, currency: Currency, in range: ClosedRange<Decimal> = 0...Money.largestMajorUnits) -> Money? {
        required(name) { self.readMoney($0, name, currency, range) }
    }

    public func email(_ name: String) -> EmailAddress? {
        required(name) { self.readEmail($0, name) }
    }

    /// A nested object.
    public func object<Value>(_ name: String, _ read: (Fields) throws -> Value) rethrows -> Value? {
        guard let value = required(name, { $0 }) else { return nil }
        guard case .object(let nested) = value else {
            mistake(name, "must be an object")
            return nil
        }
        return try read(Fields(nested, pointer: path(name), mistakes: mistakes))
    }

    /// An array of objects; nil elements are those with mistakes.
    public func objects<Value>(_ name: String, count: ClosedRange<Int>, _ read: (Fields) -> Value?) -> [Value]? {
        guard let value = required(name, { $0 }) else { return nil }
        guard case .array(let elements) = value else {
            mistake(name, "must be an array")
            return nil
        }
        guard count.contains(elements.count) else {
            mistake(name, "must have \(count.lowerBound) to \(count.upperBound) elements")
            return nil
        }
        return elements.enumerated().compactMap { index, element in
            guard case .object(let nested) = element else {
                mistake("\(name)/\(index)", "must be an object")
                return nil
            }
            return read(Fields(nested, pointer: path("\(name)/\(index)"), mistakes: mistakes))
        }
    }

    // MARK: Optional members: absent and null are both nil

    public func optionalString(_ name: String, length: ClosedRange<Int>) -> String? {
        present(name) { self.readString($0, name, length) }
    }

    public func optionalInteger(_ name: String, in range: ClosedRange<Int64>) -> Int64? {
        present(name) { self.readInteger($0, name, range) }
    }

    /// A number as it stands, for an amount whose currency is known only later.
    public func optionalDecimal(_ name: String, in range: ClosedRange<Decimal>) -> Decimal? {
        present(name) { self.readDecimal($0, name, range) }
    }

    public func optionalBool(_ name: String) -> Bool? {
        present(name) { self.readBool($0, name) }
    }

    public func optionalID<Entity>(_ name: String, of entity: Entity.Type = Entity.self) -> Identifier<Entity>? {
        optionalInteger(name, in: 1...Int64.max).flatMap(Identifier<Entity>.init(rawValue:))
    }

    public func optionalMoney(_ name: String, currency: Currency, in range: ClosedRange<Decimal> = 0...Money.largestMajorUnits) -> Money? {
        present(name) { self.readMoney($0, name, currency, range) }
    }

    public func optionalCurrency(_ name: String) -> Currency? {
        present(name) { value in
            if case .string(let code) = value, let currency = Currency(code: code) { return currency }
            self.mistake(name, "must be an ISO 4217 code such as USD")
            return nil
        }
    }

    public func optionalObject<Value>(_ name: String, _ read: (Fields) -> Value?) -> Value? {
        present(name) { value in
            guard case .object(let nested) = value else {
                self.mistake(name, "must be an object")
                return nil
            }
            return read(Fields(nested, pointer: self.path(name), mistakes: self.mistakes))
        }
    }
}

// MARK: - Reading one value

extension Fields {
    private func path(_ name: String) -> String { "\(pointer)/\(name)" }

    private func required<Value>(_ name: String, _ read: (JSONValue) -> Value?) -> Value? {
        guard let value = members[name], value != .null else {
            mistake(name, "is required")
            return nil
        }
        return read(value)
    }

    private func present<Value>(_ name: String, _ read: (JSONValue) -> Value?) -> Value? {
        guard let value = members[name], value != .null else { return nil }
        return read(value)
    }

    private func readString(_ value: JSONValue, _ name: String, _ length: ClosedRange<Int>) -> String? {
        guard case .string(let text) = value else {
            mistake(name, "must be a string")
            return nil
        }
        guard length.contains(text.unicodeScalars.count) else {
            mistake(
                name,
                length.lowerBound == 1 && text.isEmpty
                    ? "must not be empty" : "must have \(length.lowerBound) to \(length.upperBound) characters")
            return nil
        }
        guard !text.unicodeScalars.contains(where: { $0.value == 0 }) else {
            mistake(name, "must not contain a NUL character")
            return nil
        }
        return text
    }

    private func readInteger(_ value: JSONValue, _ name: String, _ range: ClosedRange<Int64>) -> Int64? {
        switch value {
        case .integer(let integer) where range.contains(integer):
            return integer
        case .integer(let integer):
            mistake(name, integer < range.lowerBound ? "must be at least \(range.lowerBound)" : "must be at most \(range.upperBound)")
        case .decimal(let decimal) where decimal < Decimal(range.lowerBound):
            mistake(name, "must be at least \(range.lowerBound)")
        case .decimal(let decimal) where decimal > Decimal(range.upperBound):
            mistake(name, "must be at most \(range.upperBound)")
        default:
            mistake(name, "must be a whole number")
        }
        return nil
    }

    private func readBool(_ value: JSONValue, _ name: String) -> Bool? {
        guard case .bool(let bool) = value else {
            mistake(name, "must be true or false")
            return nil
        }
        return bool
    }

    private func readDecimal(_ value: JSONValue, _ name: String, _ range: ClosedRange<Decimal>) -> Decimal? {
        let number: Decimal
        switch value {
        case .integer(let integer): number = Decimal(integer)
        case .decimal(let decimal): number = decimal
        default:
            mistake(name, "must be a number")
            return nil
        }
        guard range.contains(number) else {
            mistake(name, number < range.lowerBound ? "must be at least \(range.lowerBound)" : "must be at most \(range.upperBound)")
            return nil
        }
        return number
    }

    private func readMoney(_ value: JSONValue, _ name: String, _ currency: Currency, _ range: ClosedRange<Decimal>) -> Money? {
        guard let amount = readDecimal(value, name, range) else { return nil }
        do {
            return try Money(majorUnits: amount, currency: currency)
        } catch {
            mistake(name, "must have at most \(currency.decimals) decimals")
            return nil
        }
    }

    private func readEmail(_ value: JSONValue, _ name: String) -> EmailAddress? {
        guard case .string(let text) = value, let email = EmailAddress(text) else {
            mistake(name, "must be an email address")
            return nil
        }
        return email
    }
}
