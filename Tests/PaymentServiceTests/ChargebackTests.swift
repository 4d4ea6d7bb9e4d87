import Chassis
import ChassisStorage
import ChassisTesting
import Commerce
import Foundation
import HTTPTypes
import Testing

@testable import PaymentService

@Suite("Chargebacks")
struct ChargebackTests {
    /// Runs `body` with order 1 of user 7 paid: ten dollars.
    private func paid(_ body: @escaping @Sendable (PaymentShop, _ charge: String) async throws -> Void) async throws {
        try await PaymentShop.open(signature: PaymentShop.signature) { shop in
            try await shop.say(.placed(1, amount: 1000))
            try await shop.settled()
            try await body(shop, "payment-\(try await shop.id(ofOrder: 1))")
            try await shop.settled()
            try await shop.checkBooks()
        }
    }

    @Test("the bank takes the money back: booked, shown, told once, however often the provider says so")
    func chargedBack() async throws {
        try await paid { shop, charge in
            let notice = try #require(try await shop.sandbox.chargeBack(charge))
            for _ in 0..<3 {
                let reply = try await shop.post(notice)
                #expect(reply.status == .ok && reply.json == ["received": true])
            }
            let payment = try await shop.payment(ofOrder: 1)
            #expect(payment["status"] == "captured" && payment["captured"] == 10 && payment["chargedBack"] == 10)
            #expect(try await shop.said() == ["captured", "charged-back"])
            let ledger = try await shop.client.get("/api/payments/ledger", as: .administrator).json["accounts"].array
            #expect(ledger.first { $0["account"] == "provider" }?["balance"] == 0)
            #expect(ledger.first { $0["account"] == "chargebacks" }?["balance"] == 10)
        }
    }

    @Test("the bank gives it back: booked the other way round, and told")
    func reversed() async throws {
        try await paid { shop, charge in
            try await shop.take(try await shop.sandbox.chargeBack(charge))
            let reversal = try #require(try await shop.sandbox.reverse(charge))
            #expect(try await shop.post(reversal).status == .ok)
            #expect(try await shop.post(reversal).status == .ok)
            #expect(try await shop.payment(ofOrder: 1)["chargedBack"] == 0)
            #expect(try await shop.said() == ["captured", "charged-back", "chargeback-reversed"])
        }
    }

    @Test("of an order that was cancelled meanwhile the money goes on to the customer")
    func reversedAfterCancellation() async throws {
        try await paid { shop, charge in
            try await shop.take(try await shop.sandbox.chargeBack(charge))
            try await shop.say(.cancelled(1))
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["refunded"] == 0)
            try await shop.take(try await shop.sandbox.reverse(charge))
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "refunded")
            #expect(try await shop.said() == ["captured", "charged-back", "chargeback-reversed", "refunded"])
        }
    }

    @Test("after a refund the bank takes what is left, and after the bank there is nothing to refund")
    func refundAndChargeback() async throws {
        try await paid { shop, charge in
            #expect(try await shop.refund(1, ["amount": 2.5, "reason": "a scratch"]).status == .created)
            try await shop.settled()
            try await shop.take(try await shop.sandbox.chargeBack(charge))
            #expect(try await shop.payment(ofOrder: 1)["chargedBack"] == 7.5)
            let refused = try await shop.refund(1, ["amount": 1, "reason": "late"])
            #expect(refused.status == .conflict && refused.json["type"] == "urn:souk:problem:nothing-to-refund")
        }
    }

    @Test("a refund that the bank has overtaken fails, once the shop has heard why")
    func overtaken() async throws {
        try await paid { shop, charge in
            let notice = try #require(try await shop.sandbox.chargeBack(charge))
            #expect(try await shop.refund(1, ["amount": 4, "reason": "returned"]).status == .created)
            try await eventually("the provider has refused it") {
                try await shop.database.read { transaction in
                    try transaction.value("SELECT COUNT(*) FROM jobs WHERE kind = 'refund-capture' AND attempts > 0", as: Int.self) == 1
                }
            }
            #expect(try await shop.post(notice).status == .ok)
            try await shop.settled()
            let status = try await shop.database.read { try $0.value("SELECT status FROM refunds", as: String.self) }
            #expect(status == "failed")
            #expect(try await shop.said() == ["captured", "charged-back"])
        }
    }

    @Test("what comes too early is to come again, and then counts")
    func tooEarly() async throws {
        try await PaymentShop.open(signature: PaymentShop.signature) { shop in
            let body = try JSON.encodedData(
                SandboxNotice(.chargedBack, chargeback: "c", charge: "sandbox_payment-1", amount: 1000, currency: "USD"))
            let early = SignedNotice(headers: [.soukSignature: PaymentShop.signature.header(for: body)], body: body)
            let reply = try await shop.post(early)
            #expect(reply.status == .serviceUnavailable && reply.headers[.retryAfter] == "10")
            try await shop.say(.placed(1, amount: 1000))
            try await shop.settled()
            #expect(try await shop.id(ofOrder: 1) == 1)

            let chargeback = try #require(try await shop.sandbox.chargeBack("payment-1"))
            let reversal = try #require(try await shop.sandbox.reverse("payment-1"))
            #expect(try await shop.post(reversal).status == .serviceUnavailable)
            #expect(try await shop.post(chargeback).status == .ok)
            #expect(try await shop.post(reversal).status == .ok)
            #expect(try await shop.said() == ["captured", "charged-back", "chargeback-reversed"])
            try await shop.checkBooks()
        }
    }

    @Test("a bank that takes more than there is is contradicted")
    func tooMuch() async throws {
        try await paid { shop, charge in
            let body = try JSON.encodedData(
                SandboxNotice(.chargedBack, chargeback: "c", charge: "sandbox_\(charge)", amount: 1001, currency: "USD"))
            let reply = try await shop.post(
                SignedNotice(headers: [.soukSignature: PaymentShop.signature.header(for: body)], body: body))
            #expect(reply.status == .conflict && reply.json["type"] == "urn:souk:problem:chargeback-exceeds-captured")
            #expect(try await shop.said() == ["captured"])
        }
    }

    @Test("only what the provider has signed, and lately, counts")
    func signatures() async throws {
        try await paid { shop, charge in
            let notice = try #require(try await shop.sandbox.chargeBack(charge))
            let good = try #require(notice.headers[.soukSignature])
            func shifted(_ seconds: Int) -> String {
                PaymentShop.signature(by: PaymentShop.secretText, at: .shifted(by: .seconds(seconds))).header(for: notice.body)
            }
            let other = PaymentShop.signature(by: "another secret, which is just as long as it must be").header(for: notice.body)
            let wrong: [String?] = [
                nil, "", "t=1,v1=", other, shifted(-301), shifted(3600), String(good.dropLast()), good.replacing("v1", with: "v0"),
                good.replacing(/t=\d/, with: "t=2"), good + "0",
            ]
            for header in wrong {
                var headers = notice.headers
                headers[.soukSignature] = header
                let reply = try await shop.post(SignedNotice(headers: headers, body: notice.body))
                #expect(reply.status == .badRequest && reply.json["type"] == "urn:souk:problem:invalid-signature", "\(header ?? "none")")
            }
            let altered = SignedNotice(
                headers: notice.headers, body: Data(String(decoding: notice.body, as: UTF8.self).replacing("1000", with: "1").utf8))
            #expect(try await shop.post(altered).status == .badRequest)
            #expect(try await shop.said() == ["captured"])
            #expect(try await shop.client.post("/api/payments/webhooks/nobody", [:]).status == .notFound)
            for recent in [shifted(-200), shifted(200)] {
                var headers = notice.headers
                headers[.soukSignature] = recent
                #expect(try await shop.post(SignedNotice(headers: headers, body: notice.body)).status == .ok)
            }
        }
    }

    @Test("a signed notice that cannot be read is a 400, one of no interest a 200 without effect")
    func unreadable() async throws {
        try await paid { shop, charge in
            for text in ["", "[]", #"{"id":"1"}"#] {
                let reply = try await shop.post(text: text)
                #expect(reply.status == .badRequest)
            }
            let other = #"{"id":"1","type":"payout.paid","chargeback":"","charge":"","amount":1,"currency":"USD"}"#
            let reply = try await shop.post(text: other)
            #expect(reply.status == .ok)
            #expect(try await shop.said() == ["captured"])
        }
    }
}

extension PaymentShop {
    /// Posts a text that the provider has signed.
    fileprivate func post(text: String) async throws -> TestClient.Reply {
        let body = Data(text.utf8)
        return try await post(SignedNotice(headers: [.soukSignature: Self.signature.header(for: body)], body: body))
    }
}

extension TimeSource {
    /// The system's, wrong by so much.
    fileprivate static func shifted(by duration: Duration) -> TimeSource {
        let system = TimeSource.system
        return TimeSource(now: { system.now + duration }, monotonic: { system.monotonic }, sleep: { try await system.sleep(for: $0) })
    }
}
