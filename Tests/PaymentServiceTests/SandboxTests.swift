import Chassis
import ChassisTesting
import Testing

@testable import PaymentService

@Suite("How each payment method of the sandbox ends, without a person's help")
struct SandboxTests {
    struct End: Sendable, CustomTestStringConvertible {
        let method: String
        let status: JSONValue
        let attempts: JSONValue
        let said: [String]
        /// How often the sandbox counts the call; nil when it refuses before it writes.
        let calls: Int?
        let reason: JSONValue
        var testDescription: String { method }
    }

    private static let ends = [
        End(method: "tok_visa", status: "captured", attempts: 1, said: ["captured"], calls: 1, reason: .null),
        End(method: "tok_flaky", status: "captured", attempts: 3, said: ["captured"], calls: 3, reason: .null),
        End(method: "tok_timeout", status: "captured", attempts: 2, said: ["captured"], calls: 2, reason: .null),
        End(method: "tok_declined", status: "failed", attempts: 1, said: ["failed"], calls: nil, reason: "The card was declined"),
        End(
            method: "tok_insufficient_funds", status: "failed", attempts: 1, said: ["failed"], calls: nil,
            reason: "The card has insufficient funds"),
        End(
            method: "tok_of_nobody", status: "failed", attempts: 1, said: ["failed"], calls: nil, reason: "The payment method is not known"),
    ]

    @Test("it ends as the API says, charged at most once", arguments: ends)
    func end(of end: End) async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.placed(1, amount: 1234, method: end.method))
            try await shop.settled()
            let payment = try await shop.payment(ofOrder: 1)
            #expect(payment["status"] == end.status && payment["attempts"] == end.attempts && payment["failureReason"] == end.reason)
            #expect(payment["captured"] == (end.status == "captured" ? 12.34 : 0))
            #expect(try await shop.said() == end.said)
            let charge = try await shop.sandboxCharge(ofOrder: 1)
            #expect(charge?.calls == end.calls && charge?.charged == end.calls.map { _ in true })
            try await shop.checkBooks()
        }
    }

    @Test("a method that is refused tells the customer why")
    func reason() async throws {
        try await PaymentShop.open { shop in
            try await shop.say(.placed(1, amount: 1234, method: "tok_declined"))
            try await shop.settled()
            #expect(try await shop.events()[0]["data"]["reason"] == "The card was declined")
        }
    }
}
