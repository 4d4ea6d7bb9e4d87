import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import NotificationService

@Suite("Text messages through a Twilio-compatible API")
struct TwilioTests {
    private static let settings = NotificationService.TwilioSettings(
        url: "https://sms.example", account: "AC123", token: "t0ken:with colon", from: "+1 555 0100")

    /// A provider that keeps what it is asked and answers with the next of these statuses, the last one for ever.
    private final class Provider: Sendable {
        private let asked = Mutex<[OutboundRequest]>([])
        private let statuses: [HTTPResponse.Status]

        init(_ statuses: HTTPResponse.Status...) { self.statuses = statuses }

        var requests: [OutboundRequest] { asked.withLock { $0 } }

        var transport: HTTPTransport {
            HTTPTransport { request, _ throws(TransportError) in
                guard request.url.hasPrefix("https://sms.example") else { throw .notConnected }
                let count = self.asked.withLock { asked in
                    asked.append(request)
                    return asked.count
                }
                return InboundResponse(status: self.statuses[min(count, self.statuses.count) - 1])
            }
        }
    }

    private func wantsSMS(_ shop: NotificationShop, name: String = "Ada") async throws {
        try await shop.update(name: name, phone: "+4912345678", choices: NotificationChoices(email: false, sms: true))
        try await shop.consumed()
    }

    @Test("the request is what Twilio's API takes: address, Basic authentication, form")
    func request() async throws {
        let provider = Provider(.created)
        try await NotificationShop.open(sms: Self.settings, transport: provider.transport) { shop in
            try await wantsSMS(shop)
            try await shop.ship(12)
            let sent = try await shop.messages(1, "sent")
            #expect(sent[0]["channel"] == "sms" && sent[0]["attempts"] == 1)
            let requests = provider.requests
            #expect(requests.count == 1)
            #expect(requests[0].method == .post && requests[0].url == "https://sms.example/2010-04-01/Accounts/AC123/Messages.json")
            #expect(requests[0].headers[.contentType] == "application/x-www-form-urlencoded")
            #expect(requests[0].headers[.authorization] == "Basic \(Data("AC123:t0ken:with colon".utf8).base64EncodedString())")
            let body = String(decoding: try #require(requests[0].body), as: UTF8.self)
            #expect(body == "To=%2B4912345678&From=%2B1+555+0100&Body=Your+order+12+is+on+its+way")
        }
    }

    @Test("a provider in trouble is asked again; one that refuses for good makes the message dead")
    func retries() async throws {
        let provider = Provider(.internalServerError, .tooManyRequests, .created)
        try await NotificationShop.open(sms: Self.settings, transport: provider.transport) { shop in
            try await wantsSMS(shop)
            try await shop.ship(12)
            #expect(try await shop.messages(1, "sent")[0]["attempts"] == 3)
        }
        let refusing = Provider(.unauthorized)
        try await NotificationShop.open(sms: Self.settings, transport: refusing.transport) { shop in
            try await wantsSMS(shop)
            try await shop.ship(12)
            let dead = try await shop.messages(1, "dead")[0]
            #expect(dead["error"] == "the SMS provider answered 401" && refusing.requests.count == 12)
        }
    }

    @Test("a message goes by one channel: who wants both gets an email")
    func oneChannel() async throws {
        let provider = Provider(.created)
        try await NotificationShop.open(sms: Self.settings, transport: provider.transport) { shop in
            try await shop.update(phone: "+4912345678", choices: NotificationChoices(email: true, sms: true))
            try await shop.consumed()
            try await shop.ship(12)
            #expect(try await shop.messages(1, "kept")[0]["channel"] == "email")
            #expect(provider.requests.isEmpty)
        }
    }

    @Test("a long text is cut to what providers take")
    func long() async throws {
        let provider = Provider(.created)
        let sender = TwilioSender(baseURL: "https://sms.example", account: "A", token: "t", from: "Souk", transport: provider.transport)
            .sender
        try await sender.send(String(repeating: "x", count: 5000), to: "+1")
        let body = String(decoding: try #require(provider.requests[0].body), as: UTF8.self)
        #expect(body.count { $0 == "x" } == 1600)
    }

    @Test(
        "form values are encoded as the WHATWG URL standard says",
        arguments: [
            ("", ""), ("abc XYZ-0._*9", "abc+XYZ-0._*9"), ("+4912", "%2B4912"), ("a&b=c", "a%26b%3Dc"), ("Jörg", "J%C3%B6rg"),
            ("🎉", "%F0%9F%8E%89"), ("a\r\nb", "a%0D%0Ab"), ("100%", "100%25"), ("~", "%7E"), ("\u{0}", "%00"),
        ])
    func encoding(text: String, encoded: String) {
        #expect(TwilioSender.formEncoded(text) == encoded)
    }
}
