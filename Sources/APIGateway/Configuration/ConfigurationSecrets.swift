import Chassis
import Foundation

/// What nobody may read of a configuration: the values of those environment variables in it whose names say that they are secret.
struct ConfigurationSecrets: Sendable {
    /// The longest first: one may be a part of another.
    private let values: [String]

    /// - Parameter yaml: the document before `${NAME}` was replaced.
    init(usedIn yaml: String, variables: [String: String]) {
        let secret = variables.filter { name, value in Self.isSecret(name) && !value.isEmpty && yaml.contains("${\(name)}") }
        // YAML takes white space off the ends of a text that has no quotes.
        let spellings = secret.values.flatMap { [$0, $0.trimmingCharacters(in: .whitespaces)] }
        values = Set(spellings).filter { !$0.isEmpty }.sorted { $0.count > $1.count }
    }

    /// The text without them.
    func redacting(_ text: String) -> String {
        values.reduce(text) { $0.replacing($1, with: Redaction.placeholder) }
    }

    /// A file that is told in public names its secrets so: `EDGE_KEY`, `REDIS_PASSWORD`, `ORIGIN_SECRET`.
    private static func isSecret(_ name: String) -> Bool {
        let words = name.uppercased().split(separator: "_")
        return Redaction.isSensitive(name) || words.contains { ["KEY", "KEYS", "PASS", "PWD"].contains($0) }
    }
}
