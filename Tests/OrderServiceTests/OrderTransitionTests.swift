import ChassisTesting
import Commerce
import Contracts
import Testing

@testable import OrderService

@Suite struct OrderTransitionTests {
    private static let money = Money(minorUnits: 500, currency: .usd)
    private static let triggers: [OrderTrigger] = [
        .paymentCaptured, .paymentFailed(reason: "Declined"), .refundedInPart(money), .refundedWhole(money), .reservationLost,
        .deadlinePassed, .cancel, .ship, .deliver, .chargedBack(money), .chargebackReversed(money),
    ]

    /// One row a state, one column a trigger, in the order of `triggers`: the next state and what is announced. `-` is impossible, `=` is
    /// granted without effect, `note` stays and is written into the timeline.
    private static let table: [(OrderStatus, [String])] = [
        (.pending, ["paid", "cancelled", "-", "-", "-", "cancelled", "cancelled", "-", "-", "-", "-"]),
        (.paid, ["-", "-", "note", "refunded", "cancelled", "-", "cancelled", "shipped", "-", "cancelled", "note"]),
        (.shipped, ["-", "-", "note", "refunded", "-", "-", "-", "=", "delivered", "note", "note"]),
        (.delivered, ["-", "-", "note", "refunded", "-", "-", "-", "-", "=", "note", "note"]),
        (.cancelled, ["note", "note", "note", "note", "note", "-", "=", "-", "-", "note", "note"]),
        (.refunded, ["-", "-", "-", "-", "note", "-", "-", "-", "-", "note", "note"]),
    ]

    private static let announcements: [OrderTrigger: OrderEffect] = [
        .paymentCaptured: .announcePaid, .paymentFailed(reason: "Declined"): .announceCancelled(.paymentFailed),
        .refundedWhole(money): .announceRefunded, .reservationLost: .announceCancelled(.outOfStock),
        .deadlinePassed: .announceCancelled(.deadlinePassed), .cancel: .announceCancelled(.requested), .ship: .announceShipped,
        .deliver: .announceDelivered, .chargedBack(money): .announceCancelled(.chargedBack),
    ]

    @Test("every state takes every trigger as the table says")
    func table() throws {
        #expect(Self.table.map(\.0) == OrderStatus.allCases)
        for (status, cells) in Self.table {
            #expect(cells.count == Self.triggers.count)
            for (trigger, cell) in zip(Self.triggers, cells) { try check(status, trigger, cell) }
        }
    }

    private func check(_ status: OrderStatus, _ trigger: OrderTrigger, _ cell: String) throws {
        let place: Comment = "\(status.rawValue) × \(trigger.name)"
        if cell == "-" {
            #expect(throws: ImpossibleTransition(status: status, trigger: trigger), place) { try status.transition(on: trigger) }
            return
        }
        let transition = try status.transition(on: trigger)
        switch cell {
        case "=":
            #expect(transition == OrderTransition(status: status, effects: []), place)
        case "note":
            #expect(transition.status == status, place)
            #expect(transition.effects.count == 1 && transition.effects.allSatisfy(\.isRecordWithReason), place)
        default:
            #expect(transition.status.rawValue == cell, place)
            #expect(transition.effects.count == 2 && transition.effects[0].isRecord, place)
            #expect(transition.effects.last == Self.announcements[trigger], place)
        }
    }

    @Test("whatever happens in whatever order, an order never leaves cancelled or refunded, and is never paid twice")
    func walks() {
        var generator = SeededGenerator(seed: 20_261_123)
        for _ in 0..<2_000 {
            var status = OrderStatus.pending
            var paidCount = 0
            for _ in 0..<12 {
                guard let trigger = Self.triggers.randomElement(using: &generator) else { continue }
                guard let next = try? status.transition(on: trigger) else { continue }
                if status == .cancelled || status == .refunded { #expect(next.status == status) }
                if next.effects.contains(.announcePaid) { paidCount += 1 }
                if next.status == .shipped { #expect(paidCount == 1) }
                status = next.status
            }
            #expect(paidCount <= 1)
        }
    }

    @Test("the final states are those after which a customer waits for nothing")
    func finals() {
        #expect(OrderStatus.allCases.filter(\.isFinal) == [.delivered, .cancelled, .refunded])
    }
}

extension OrderEffect {
    fileprivate var isRecord: Bool { if case .record = self { true } else { false } }
    fileprivate var isRecordWithReason: Bool { if case .record(.some) = self { true } else { false } }
}
