import NIOCore
import Yams

/// A mistake in the gateway's configuration file, with the line it is on.
public struct GatewayConfigurationError: Error, Hashable, CustomStringConvertible {
    public let line: Int?
    public let sentence: String

    public var description: String {
        line.map { "line \($0): \(sentence)" } ?? sentence
    }
}

/// Reads a YAML mapping whose keys are known. A key that nobody reads is a mistake: a misspelt policy must not silently be none.
struct YAMLReader {
    private let mapping: Node.Mapping
    private let line: Int?
    private let known: Set<String>

    init(_ node: Node, keys: Set<String>) throws(GatewayConfigurationError) {
        guard let mapping = node.mapping else { throw Self.error("must be a mapping", at: node) }
        self.mapping = mapping
        line = node.mark?.line
        known = keys
        for (key, _) in mapping {
            guard let name = key.string, keys.contains(name) else {
                throw Self.error("“\(key.string ?? "?")” is not known here (known: \(keys.sorted().joined(separator: ", ")))", at: key)
            }
        }
    }

    static func error(_ sentence: String, at node: Node?) -> GatewayConfigurationError {
        GatewayConfigurationError(line: node?.mark?.line, sentence: sentence)
    }

    func missing(_ key: String) -> GatewayConfigurationError {
        GatewayConfigurationError(line: line, sentence: "“\(key)” is missing")
    }

    func node(_ key: String) -> Node? { mapping[Node(key)] }

    func string(_ key: String) throws(GatewayConfigurationError) -> String? {
        guard let node = node(key) else { return nil }
        guard let text = node.string, !text.isEmpty else { throw Self.error("“\(key)” must be a text", at: node) }
        return text
    }

    func requiredString(_ key: String) throws(GatewayConfigurationError) -> String {
        guard let text = try string(key) else { throw missing(key) }
        return text
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(GatewayConfigurationError) -> Int? {
        guard let node = node(key) else { return nil }
        guard let value = node.int, range.contains(value) else {
            throw Self.error("“\(key)” must be a whole number between \(range.lowerBound) and \(range.upperBound)", at: node)
        }
        return value
    }

    /// Seconds; 0 stands for no limit where a limit is meant.
    func seconds(_ key: String, in range: ClosedRange<Double>) throws(GatewayConfigurationError) -> Double? {
        guard let node = node(key) else { return nil }
        guard let value = node.float ?? node.int.map(Double.init), range.contains(value) else {
            throw Self.error("“\(key)” must be a number of seconds between \(range.lowerBound) and \(range.upperBound)", at: node)
        }
        return value
    }

    /// A mapping inside this one, nil when it is not there.
    func mapping(_ key: String, keys: Set<String>) throws(GatewayConfigurationError) -> YAMLReader? {
        guard let node = node(key) else { return nil }
        return try YAMLReader(node, keys: keys)
    }

    /// Leaves the value as it is when the key is not there.
    func set(_ value: inout Int, from key: String, in range: ClosedRange<Int>) throws(GatewayConfigurationError) {
        if let found = try integer(key, in: range) { value = found }
    }

    /// Leaves the value as it is when the key is not there.
    func set(_ value: inout TimeAmount, from key: String, in range: ClosedRange<Double>) throws(GatewayConfigurationError) {
        if let found = try seconds(key, in: range) { value = .nanoseconds(Int64(found * 1_000_000_000)) }
    }

    func bool(_ key: String) throws(GatewayConfigurationError) -> Bool? {
        guard let node = node(key) else { return nil }
        guard let value = node.bool else { throw Self.error("“\(key)” must be true or false", at: node) }
        return value
    }

    func choice<Value: RawRepresentable & CaseIterable>(_ key: String, _ type: Value.Type) throws(GatewayConfigurationError) -> Value?
    where Value.RawValue == String {
        guard let node = node(key) else { return nil }
        guard let text = node.string, let value = Value(rawValue: text) else {
            throw Self.error("“\(key)” must be one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))", at: node)
        }
        return value
    }

    func strings(_ key: String) throws(GatewayConfigurationError) -> [String]? {
        try list(key) { $0 }
    }

    /// A list of texts, each taken apart by `read`, which fails with a sentence about the text.
    func list<Value>(_ key: String, _ read: (String) throws(Reason) -> Value) throws(GatewayConfigurationError) -> [Value]? {
        guard let node = node(key) else { return nil }
        guard let sequence = node.sequence else { throw Self.error("“\(key)” must be a list", at: node) }
        var values: [Value] = []
        for element in sequence {
            guard let text = element.string else { throw Self.error("“\(key)” must be a list of texts", at: element) }
            do throws(Reason) {
                values.append(try read(text))
            } catch {
                throw Self.error("“\(text)” \(error.sentence)", at: element)
            }
        }
        return values
    }

    /// What is wrong with a text, to be told after it: “must be an address”.
    struct Reason: Error {
        let sentence: String
    }

    /// The names and texts of a mapping, in the order of the file.
    func members(_ key: String) throws(GatewayConfigurationError) -> [(name: String, value: String)] {
        guard let node = node(key) else { return [] }
        guard let mapping = node.mapping else { throw Self.error("“\(key)” must be a mapping", at: node) }
        var members: [(name: String, value: String)] = []
        for (name, value) in mapping {
            guard let name = name.string, !name.isEmpty, let value = value.string else {
                throw Self.error("“\(key)” must be a mapping of names to texts", at: value)
            }
            members.append((name, value))
        }
        return members
    }

    func elements(_ key: String) throws(GatewayConfigurationError) -> [Node] {
        guard let node = node(key) else { return [] }
        guard let sequence = node.sequence else { throw Self.error("“\(key)” must be a list", at: node) }
        return Array(sequence)
    }
}
