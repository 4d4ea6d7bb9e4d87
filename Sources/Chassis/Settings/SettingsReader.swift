public import Configuration
import Foundation

/// Reads a service's settings from flags and environment variables, and remembers what each key means.
///
/// A key such as `database.url` is the variable `DATABASE_URL` and the flag `--database-url`; a flag wins. Every read names the key's
/// type, default and range, which `--help` prints. Wrong values are collected, so that one start tells all of them; none is ever used.
public final class SettingsReader {
    /// What a key means, for `--help` and the documentation.
    public struct Entry: Sendable, Hashable {
        public let key: String
        /// For people: `integer 0…65535`, `text`, `seconds 1…300`.
        public let type: String
        public let defaultValue: String?
        public let purpose: String

        public var variable: String { key.uppercased().replacingOccurrences(of: ".", with: "_") }
        public var flag: String { "--" + key.replacingOccurrences(of: ".", with: "-") }
    }

    private let configuration: ConfigReader
    public private(set) var entries: [Entry] = []
    private var mistakes: [String] = []

    public init(_ configuration: ConfigReader) {
        self.configuration = configuration
    }

    /// Reads flags first, then the environment.
    public static func fromProcess(arguments: [String], environment: [String: String]) -> SettingsReader {
        SettingsReader(
            ConfigReader(providers: [
                CommandLineArgumentsProvider(arguments: arguments),
                EnvironmentVariablesProvider(environmentVariables: environment),
            ]))
    }

    /// Throws a sentence for each key with a wrong value.
    public func finish() throws(SettingsError) {
        guard mistakes.isEmpty else { throw SettingsError(sentences: mistakes) }
    }

    // MARK: Reading

    public func text(_ key: String, default defaultValue: String, _ purpose: String) -> String {
        document(key, "text", defaultValue, purpose)
        return raw(key) ?? defaultValue
    }

    public func optionalText(_ key: String, _ purpose: String) -> String? {
        document(key, "text", nil, purpose)
        return raw(key)
    }

    /// A value that is never printed, in whatever message.
    public func secret(_ key: String, minimumLength: Int = 1, _ purpose: String) -> String? {
        document(key, "secret of at least \(minimumLength) characters", nil, purpose)
        guard let value = configuration.string(forKey: ConfigKey(key), isSecret: true), !value.isEmpty else { return nil }
        guard value.utf8.count >= minimumLength else {
            reject(key, nil, "must have at least \(minimumLength) characters")
            return nil
        }
        return value
    }

    public func integer(_ key: String, default defaultValue: Int, in range: ClosedRange<Int>, _ purpose: String) -> Int {
        document(key, "integer \(range.lowerBound)…\(range.upperBound)", String(defaultValue), purpose)
        guard let text = raw(key) else { return defaultValue }
        guard let value = Int(text), range.contains(value) else {
            reject(key, text, "must be a whole number between \(range.lowerBound) and \(range.upperBound)")
            return defaultValue
        }
        return value
    }

    /// A number in 0…1.
    public func fraction(_ key: String, default defaultValue: Double, _ purpose: String) -> Double {
        document(key, "number 0…1", String(defaultValue), purpose)
        guard let text = raw(key) else { return defaultValue }
        guard let value = Double(text), (0...1).contains(value) else {
            reject(key, text, "must be a number between 0 and 1")
            return defaultValue
        }
        return value
    }

    public func seconds(_ key: String, default defaultValue: Double, in range: ClosedRange<Double>, _ purpose: String) -> Duration {
        document(key, "seconds \(range.lowerBound)…\(range.upperBound)", String(defaultValue), purpose)
        guard let text = raw(key) else { return .seconds(defaultValue) }
        guard let value = Double(text), range.contains(value) else {
            reject(key, text, "must be a number of seconds between \(range.lowerBound) and \(range.upperBound)")
            return .seconds(defaultValue)
        }
        return .seconds(value)
    }

    public func choice<Value: RawRepresentable & CaseIterable>(_ key: String, default defaultValue: Value, _ purpose: String) -> Value
    where Value.RawValue == String {
        let names = Value.allCases.map(\.rawValue)
        document(key, names.joined(separator: " | "), defaultValue.rawValue, purpose)
        guard let text = raw(key) else { return defaultValue }
        guard let value = Value(rawValue: text.lowercased()) else {
            reject(key, text, "must be one of \(names.joined(separator: ", "))")
            return defaultValue
        }
        return value
    }

    public func httpURL(_ key: String, default defaultValue: String, _ purpose: String) -> String {
        optionalHTTPURL(key, default: defaultValue, purpose) ?? defaultValue
    }

    /// Nil when the key is not set and has no default, or when its value is wrong (which `finish` tells).
    public func optionalHTTPURL(_ key: String, default defaultValue: String? = nil, _ purpose: String) -> String? {
        document(key, "http(s) URL", defaultValue, purpose)
        guard let text = raw(key) ?? defaultValue else { return nil }
        guard let url = URL(string: text), let scheme = url.scheme, ["http", "https"].contains(scheme), url.host() != nil else {
            reject(key, text, "must be an http or https URL such as http://127.0.0.1:3000")
            return nil
        }
        return text
    }

    /// A value with a form of its own: `parse` throws an error whose description ends the sentence "KEY must be …".
    public func parsed<Value>(
        _ key: String, type: String, default defaultValue: String, _ purpose: String, _ parse: (String) throws -> Value
    ) -> Value? {
        document(key, type, defaultValue, purpose)
        let text = raw(key) ?? defaultValue
        do {
            return try parse(text)
        } catch {
            reject(key, nil, "\(error)")
            return nil
        }
    }

    /// Adds a sentence about settings that contradict each other.
    public func mistake(_ sentence: String) {
        mistakes.append(sentence)
    }

    private func raw(_ key: String) -> String? {
        guard let text = configuration.string(forKey: ConfigKey(key)), !text.isEmpty else { return nil }
        return text
    }

    private func document(_ key: String, _ type: String, _ defaultValue: String?, _ purpose: String) {
        entries.append(Entry(key: key, type: type, defaultValue: defaultValue, purpose: purpose))
    }

    private func reject(_ key: String, _ value: String?, _ rule: String) {
        let entry = Entry(key: key, type: "", defaultValue: nil, purpose: "")
        let shown = value.map { ", not “\($0)”" } ?? ""
        mistakes.append("\(entry.variable) (\(entry.flag)) \(rule)\(shown).")
    }
}

/// Settings that a service will not start with: one sentence each, naming the key.
public struct SettingsError: Error, CustomStringConvertible {
    public let sentences: [String]

    public init(sentences: [String]) {
        self.sentences = sentences
    }

    public var description: String { sentences.joined(separator: "\n") }
}
