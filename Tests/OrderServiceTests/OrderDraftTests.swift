import Commerce
import Contracts
import Testing

@testable import OrderService

@Suite struct OrderDraftTests {
    @Test("an order costs the sum of its lines at the reserved prices, in the customer's order")
    func total() throws {
        let draft = try draft([(2, 3), (1, 1)])
        let order = try draft.priced(for: user(7), reservationID: "r", [try reserved(1, 1, 99_900), try reserved(2, 3, 1_999)])
        #expect(order.total == Money(minorUnits: 105_897, currency: .usd))
        #expect(order.lines.map(\.productID.rawValue) == [2, 1])
        #expect(order.userID.rawValue == 7)
    }

    @Test("an expected currency that is not the products' is refused, and so are products of two currencies")
    func currencies() throws {
        let euro = try #require(Currency(code: "EUR"))
        #expect(throws: OrderError.otherCurrency(.usd)) {
            try draft([(1, 1)], currency: euro).priced(for: user(7), reservationID: "r", [reserved(1, 1, 100)])
        }
        #expect(throws: OrderError.severalCurrencies) {
            try draft([(1, 1), (2, 1)]).priced(for: user(7), reservationID: "r", [reserved(1, 1, 100), reserved(2, 1, 100, euro)])
        }
    }

    @Test("a sum beyond 64 bits is an error, not another number")
    func overflow() throws {
        let lines = (1...100).map { (Int64($0), Quantity.largest) }
        let reserved = try lines.map { try self.reserved($0.0, $0.1, 100_000_000_000) }
        #expect(throws: OrderError.totalTooLarge) { try draft(lines).priced(for: user(7), reservationID: "r", reserved) }
    }

    @Test("a reservation of other pieces than were asked for makes no order")
    func otherPieces() throws {
        for answer in [[], [try reserved(2, 1, 100)], [try reserved(1, 2, 100)]] {
            #expect(throws: OrderError.reservationMalformed) { try draft([(1, 1)]).priced(for: user(7), reservationID: "r", answer) }
        }
    }

    @Test("a reservation is named by user, key and generation, and by nothing else")
    func names() throws {
        let name = ReservationName.make(user: try user(7), key: "abc", generation: 0)
        // printf '7\nabc' | sha256sum
        #expect(name == "9eb2251ca77350eae23404a4706aea54852cc375dda92f6bdcfea3c1a39e07e3")
        #expect(name == ReservationName.make(user: try user(7), key: "abc", generation: 0))
        let others = [
            ReservationName.make(user: try user(8), key: "abc", generation: 0),
            ReservationName.make(user: try user(7), key: "abd", generation: 0),
            ReservationName.make(user: try user(7), key: "abc", generation: 1),
            ReservationName.make(user: try user(7), key: "abc", generation: 2),
        ]
        #expect(Set(others + [name]).count == 5)
    }

    private func user(_ id: Int64) throws -> UserID { try #require(UserID(rawValue: id)) }

    private func draft(_ lines: [(Int64, Int64)], currency: Currency? = nil) throws -> OrderDraft {
        let lines = try lines.map {
            ReservationLine(
                productID: try #require(ProductID(rawValue: $0.0)), quantity: try #require(Quantity(rawValue: $0.1)))
        }
        return OrderDraft(userID: nil, lines: lines, currency: currency, paymentMethod: "tok_visa", shippingAddress: nil)
    }

    private func reserved(_ id: Int64, _ quantity: Int64, _ price: Int64, _ currency: Currency = .usd) throws -> ReservedLine {
        ReservedLine(
            productID: try #require(ProductID(rawValue: id)), name: "Product \(id)",
            unitPrice: Money(minorUnits: price, currency: currency), quantity: try #require(Quantity(rawValue: quantity)))
    }
}
