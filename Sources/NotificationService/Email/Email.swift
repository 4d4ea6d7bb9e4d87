import Commerce
import Foundation

/// One email as it goes over the wire: RFC 5322 with a text and an HTML part (RFC 2046 multipart/alternative), both in base64, so that no
/// line of a customer's making ever stands bare in a message.
struct Email: Sendable {
    let to: String
    let subject: String
    let text: String
    let html: String
    /// Stable across attempts: the same notification is the same message.
    let identifier: String

    init(to: String, words: Templates.Rendered, notification: NotificationID) {
        self.to = to
        subject = words.subject
        text = words.text
        html = words.html
        identifier = "notification-\(notification)"
    }

    /// The whole message with CRLF line ends.
    func message(from sender: String, at date: Date) -> String {
        let boundary = "souk-\(identifier)"
        return [
            "From: \(Self.safe(sender))",
            "To: \(Self.safe(to))",
            "Subject: \(Self.encodedWords(Self.safe(subject)))",
            "Date: \(Self.date(date))",
            "Message-ID: <\(identifier)@\(Self.domain(of: sender))>",
            "MIME-Version: 1.0",
            "Content-Type: multipart/alternative; boundary=\"\(boundary)\"",
            "",
            "--\(boundary)",
            Self.part("text/plain", text),
            "--\(boundary)",
            Self.part("text/html", html),
            "--\(boundary)--",
            "",
        ].joined(separator: "\r\n")
    }

    private static func part(_ type: String, _ body: String) -> String {
        let encoded = Data(body.utf8).base64EncodedString(options: [
            .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
        ])
        return "Content-Type: \(type); charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n\(encoded)\r\n"
    }

    /// RFC 2047: pieces of at most 39 bytes, cut between code points, each an encoded word on a line of at most 76 characters, the field's name
    /// included.
    static func encodedWords(_ text: String) -> String {
        var words: [String] = []
        var piece = ""
        for scalar in text.unicodeScalars {
            if piece.utf8.count + UTF8.width(scalar) > 39 {
                words.append(piece)
                piece = ""
            }
            piece.unicodeScalars.append(scalar)
        }
        words.append(piece)
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// A header cannot be broken out of: no line ends, no other control characters.
    private static func safe(_ value: String) -> String {
        String(String.UnicodeScalarView(value.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
    }

    static func domain(of address: String) -> String {
        String(address.split(separator: "@").last?.prefix { $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" } ?? "localhost")
    }

    /// RFC 5322, in UTC: `Mon, 23 Nov 2026 21:34:22 +0000`.
    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = .gmt
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss +0000"
        return formatter.string(from: date)
    }
}
