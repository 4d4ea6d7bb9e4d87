import ChassisTesting
import Contracts
import HTTPTypes
import Synchronization
import Testing

@testable import PaymentService

@Suite("What orders mean for money, in every order in which it may happen")
struct OrderEventsTests {
    @Test("a placed order is charged once, booked and told")
    func placed() async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.placed(1, amount: 1999))
            try await shop.settled()
            let payment = try await shop.payment(ofOrder: 1)
            #expect(payment["status"] == "captured" && payment["captured"] == 19.99 && payment["attempts"] == 1)
            let events = try await shop.events()
            #expect(try await shop.said() == ["captured"])
            #expect(events[0]["subject"] == "1" && events[0]["data"]["amount"] == ["minorUnits": 1999, "currency": "USD"])
            try await shop.checkBooks()
        }
    }

    @Test("an order that is placed twice is charged once")
    func placedTwice() async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.placed(1, amount: 1000), .placed(1, amount: 1000))
            try await shop.settled()
            try await shop.say(.placed(1, amount: 1000))
            try await shop.settled()
            #expect(try await shop.said() == ["captured"])
            #expect(try await shop.sandboxCharge(ofOrder: 1)?.calls == 1)
            try await shop.checkBooks()
        }
    }

    @Test("cancelled before the provider was asked: voided, never charged, nothing told")
    func cancelledBefore() async throws {
        try await PaymentShop.open(before: [.placed(1, amount: 1000), .cancelled(1)]) { shop in
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "voided")
            #expect(try await shop.sandboxCharge(ofOrder: 1) == nil)
            #expect(try await shop.said() == [])
            try await shop.checkBooks()
        }
    }

    @Test("cancelled while the provider charges: the late capture is told and goes back")
    func cancelledDuring() async throws {
        let gate = GatedProvider()
        try await PaymentShop.open(provider: { gate.holding(PaymentShop.sandbox($0).provider) }) { shop in
            try await shop.say(.placed(1, amount: 1000))
            await gate.isAsked()
            try await shop.say(.cancelled(1))
            try await shop.consumed()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "pending")
            gate.open()
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "refunded")
            #expect(try await shop.said() == ["captured", "refunded"])
            try await shop.checkBooks()
        }
    }

    @Test("cancelled while the provider refuses: nobody is told of a failure that matters to nobody")
    func cancelledDuringRefusal() async throws {
        let gate = GatedProvider()
        try await PaymentShop.open(provider: { gate.holding(PaymentShop.sandbox($0).provider) }) { shop in
            try await shop.say(.placed(1, amount: 1000, method: "tok_declined"))
            await gate.isAsked()
            try await shop.say(.cancelled(1))
            try await shop.consumed()
            gate.open()
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "failed")
            #expect(try await shop.said() == [])
            try await shop.checkBooks()
        }
    }

    @Test("cancelled after the capture: all of it goes back; cancelled twice, it goes back once")
    func cancelledAfter() async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.placed(1, amount: 1000))
            try await shop.settled()
            try await shop.say(.cancelled(1), .cancelled(1))
            try await shop.settled()
            try await shop.say(.cancelled(1))
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "refunded")
            #expect(try await shop.said() == ["captured", "refunded"])
            let refunded = try await shop.events()[1]["data"]
            #expect(refunded["refundedInTotal"] == refunded["capturedInTotal"])
            try await shop.checkBooks()
        }
    }

    @Test("cancelled after a part went back: the rest follows")
    func cancelledAfterPartialRefund() async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.placed(1, amount: 1000))
            try await shop.settled()
            #expect(try await shop.refund(1, ["amount": 4, "reason": "a scratch"]).status == .created)
            try await shop.settled()
            try await shop.say(.cancelled(1))
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "refunded")
            #expect(try await shop.said() == ["captured", "refunded", "refunded"])
            try await shop.checkBooks()
        }
    }

    @Test("cancelled after a refusal: nothing moves")
    func cancelledAfterFailure() async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.placed(1, amount: 1000, method: "tok_declined"))
            try await shop.settled()
            try await shop.say(.cancelled(1))
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "failed")
            #expect(try await shop.said() == ["failed"])
            try await shop.checkBooks()
        }
    }

    @Test("the end of an order that never began is parked for a person, and the next orders go on")
    func cancelledUnknown() async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.cancelled(9), .placed(1, amount: 1000))
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "captured")
            #expect(try await shop.client.get("/internal/dead-letters", as: .service(.orders)).json.count == 1)
            try await shop.checkBooks()
        }
    }

    @Test("an order that costs nothing is paid without a booking, and gives nothing back")
    func free() async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.placed(1, amount: 0))
            try await shop.settled()
            #expect(try await shop.said() == ["captured"])
            try await shop.say(.cancelled(1))
            try await shop.settled()
            #expect(try await shop.said() == ["captured"])
            try await shop.checkBooks()
        }
    }

    @Test(
        "a charge that died with its answers lost is not voided when it is replayed for a cancelled order: the money is found and goes back"
    )
    func replayed() async throws {
        let lost = LostAnswers()
        try await PaymentShop.open(provider: { lost.losing(PaymentShop.sandbox($0).provider) }) { shop in
            try await shop.say(.placed(1, amount: 1000))
            try await shop.settled()
            let letters = try await shop.client.get("/internal/dead-letters", as: .administrator).json
            #expect(letters.count == 1 && letters[0]["type"] == "charge-payment")
            #expect(try await shop.payment(ofOrder: 1)["status"] == "pending")

            try await shop.say(.cancelled(1))
            try await shop.consumed()
            lost.recover()
            let letter = try #require(letters[0]["id"].string)
            #expect(try await shop.client.post("/internal/dead-letters/\(letter)/replay", as: .administrator).status == .noContent)
            try await shop.settled()
            #expect(try await shop.payment(ofOrder: 1)["status"] == "refunded")
            #expect(try await shop.said() == ["captured", "refunded"])
            try await shop.checkBooks()
        }
    }
}

/// A provider that does what it is asked, and whose answers get lost until it recovers.
private final class LostAnswers: Sendable {
    private let isLosing = Atomic(true)

    func losing(_ inner: PaymentProvider) -> PaymentProvider {
        PaymentProvider(
            name: inner.name,
            charge: { charge in
                let outcome = try await inner.charge(charge)
                if self.isLosing.load(ordering: .sequentiallyConsistent) { throw PaymentProviderError.answerLost }
                return outcome
            }, refund: inner.refund, read: inner.read)
    }

    func recover() { isLosing.store(false, ordering: .sequentiallyConsistent) }
}
