import Foundation

/// An email address that a message can be sent to, compared without regard to case.
///
/// The check is for shape, not for existence: one `@`, a local part, a domain with a dot, no spaces or control characters, at most
/// 254 characters (RFC 5321, section 4.5.3.1). Only a message that arrives proves more.
public struct EmailAddress: Sendable, Hashable {
    /// As the person wrote it, without surrounding spaces.
    public let text: String
    /// What is compared and unique: `text` in lower case and Unicode's composed form.
    public let comparisonKey: String

    /// Fails when `text` has not the shape of an address.
    public init?(_ text: String) {
        let trimmed = text.trimmed
        guard (3...254).contains(trimmed.utf8.count) else { return nil }
        guard !trimmed.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0.value < 0x20 || $0.value == 0x7F }) else {
            return nil
        }
        guard !trimmed.contains(where: { "<>,;:\"()[]\\".contains($0) }) else { return nil }
        let parts = trimmed.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count) else { return nil }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count >= 2, labels.allSatisfy({ !$0.isEmpty && !$0.hasPrefix("-") && !$0.hasSuffix("-") }) else { return nil }
        self.text = trimmed
        // One spelling for what looks the same: an é is one character however it was typed.
        self.comparisonKey = trimmed.precomposedStringWithCanonicalMapping.lowercased()
    }

    public static func == (left: Self, right: Self) -> Bool { left.comparisonKey == right.comparisonKey }
    public func hash(into hasher: inout Hasher) { hasher.combine(comparisonKey) }
}

extension String {
    /// Without white space at either end.
    fileprivate var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(self[first...last])
    }
}
