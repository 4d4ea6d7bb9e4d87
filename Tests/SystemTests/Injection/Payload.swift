import Foundation

/// A text that does harm where text is taken for something else.
struct Payload: Sendable, CustomStringConvertible {
    let description: String
    let text: String

    private init(_ description: String, _ text: String) {
        self.description = description
        self.text = "\(Self.mark) \(text)."
    }

    /// All begin with it, so that logs and messages can be searched for them.
    static let mark = "inj"

    static let all = [
        Payload("SQL", #"'; DROP TABLE orders; DROP TABLE users; --" OR "1"="1"#),
        Payload("a header", "x\r\nBcc: eve@example.org\r\nSet-Cookie: a=b\r\n\r\nbody"),
        Payload("a log line", "x\n{\"level\":\"critical\",\"message\":\"forged\"}\n\u{1B}[2J\u{1B}[31mred\u{7}\u{8}"),
        Payload("JSON", #"","role":"admin","message":"forged","x":"\u0000\"#),
        Payload("a template", "{{token}}{{{name}}}{{#name}}{{>x}}${7*7}<script>alert(1)</script><img src=x onerror='alert(1)'>&amp;"),
        Payload("a path", #"../../../../etc/passwd%00%2e%2e%2f..\..\C:\"#),
        Payload("NUL", "a\u{0}b"),
        Payload("Unicode", "\u{202E}gpj.exe\u{2066}\u{200B}\u{FEFF}\u{FFFE}\u{2028}e\u{301}👩‍👩‍👧\u{E0001}"),
        Payload("a format", "%s%n%x%@{0}$(id)`id`|id"),
    ]

    /// Not longer than the field takes, in code points.
    func text(atMost length: Int?) -> String {
        guard let length else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(length)))
    }
}
