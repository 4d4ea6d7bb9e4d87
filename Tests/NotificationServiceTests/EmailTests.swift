import Commerce
import Foundation
import Testing

@testable import NotificationService

@Suite("Email as it goes over the wire")
struct EmailTests {
    private func lines(to: String = "ada@example.org", subject: String, sender: String = "shop@souk.example") -> [String] {
        let words = Templates.Rendered(subject: subject, text: "t", html: "<p>h</p>")
        return Email(to: to, words: words, notification: .init(rawValue: 5)!)
            .message(from: sender, at: Date(timeIntervalSince1970: 1_795_469_662)).components(separatedBy: "\r\n")
    }

    @Test("the header is what RFC 5322 wants, in ASCII, and the same notification is the same message")
    func header() {
        let found = lines(subject: "Hällo")
        #expect(
            Array(found.prefix(7)) == [
                "From: shop@souk.example", "To: ada@example.org", "Subject: =?utf-8?B?SMOkbGxv?=", "Date: Mon, 23 Nov 2026 21:34:22 +0000",
                "Message-ID: <notification-5@souk.example>", "MIME-Version: 1.0",
                "Content-Type: multipart/alternative; boundary=\"souk-notification-5\"",
            ])
        #expect(found.joined().allSatisfy { $0.isASCII })
    }

    @Test(
        "no value breaks out of its line",
        arguments: [
            "a\r\nBcc: eve@example.org", "a\nBcc: eve@example.org", "a\rBcc: eve@example.org", "a\u{0}b", "\r\n\r\nbody",
            "a\u{85}b\u{2028}c",
        ])
    func injection(value: String) {
        for found in [lines(subject: value), lines(to: value, subject: "s"), lines(subject: "s", sender: value)] {
            let names = found.prefix { !$0.isEmpty }.filter { !$0.hasPrefix(" ") }.map { $0.prefix { $0 != ":" } }
            #expect(names == ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"])
        }
    }

    @Test(
        "an encoded subject stands on lines of at most 76 characters and reads as it was",
        arguments: [
            "", "short", String(repeating: "ä", count: 200), String(repeating: "x", count: 500), String(repeating: "👩‍👩‍👧‍👦", count: 30),
            "e" + String(repeating: "\u{301}", count: 200), String(repeating: "日本", count: 40) + "a",
        ])
    func encodedWords(subject: String) throws {
        let folded = "Subject: " + Email.encodedWords(subject)
        var decoded = Data()
        for (index, line) in folded.components(separatedBy: "\r\n").enumerated() {
            #expect(line.count <= 76)
            let word = index == 0 ? line.dropFirst("Subject: ".count) : line.dropFirst()
            #expect(word.hasPrefix("=?utf-8?B?") && word.hasSuffix("?="))
            let bytes = try #require(Data(base64Encoded: String(word.dropFirst(10).dropLast(2))))
            // Each word is whole by itself: no character is cut in two.
            #expect(String(validating: bytes, as: UTF8.self) != nil)
            decoded += bytes
        }
        #expect(String(decoding: decoded, as: UTF8.self) == subject)
    }

    @Test(
        "the domain of a message's id is that of the sender",
        arguments: [("shop@souk.example", "souk.example"), ("Souk <shop@souk.example>", "souk.example"), ("x", "x")])
    func domain(sender: String, domain: String) {
        #expect(Email.domain(of: sender) == domain)
    }
}

@Suite("Templates")
struct TemplatesTests {
    @Test("every kind of message has all its words", arguments: MessageKind.allCases)
    func complete(kind: MessageKind) throws {
        let model = ["orderId": "12", "total": "1 USD", "summary": "s", "reason": "r", "amount": "1 USD", "token": "t", "expiresAt": "e"]
        let words = try Templates().render(kind, name: "Ada", model: model)
        for part in [words.subject, words.text, words.html] { #expect(!part.isEmpty && !part.contains("{{") && !part.contains("}}")) }
        #expect(words.text.contains("Ada") && words.html.contains("Ada") && words.html.hasPrefix("<!doctype html>"))
        #expect(!words.subject.contains("\n"))
    }

    @Test("a name cannot become markup, and stands in text as it is")
    func escaping() throws {
        let words = try Templates().render(.welcome, name: #"<script>"&'{{token}}"#, model: ["token": "s3cret"])
        #expect(!words.html.contains("<script>") && words.html.contains("&lt;script&gt;"))
        #expect(words.text.contains(#"<script>"&'{{token}}"#) && !words.text.contains("s3cret"))
    }
}
