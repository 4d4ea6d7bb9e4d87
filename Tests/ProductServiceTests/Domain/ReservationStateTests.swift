import Commerce
import Testing

@testable import ProductService

@Suite("The life of a reservation")
struct ReservationStateTests {
    private static let order = OrderID(rawValue: 7)!
    private static let events: [ReservationEvent] = [
        .orderPaid(order), .orderUndone(order), .orderShipped(order), .givenUp, .leaseEnded,
    ]
    private static let table: [ReservationState: [ReservationEvent: ReservationTransition]] = [
        .held: [
            .orderPaid(order): .sell, .orderUndone(order): .release(then: .cancelled), .orderShipped(order): .none,
            .givenUp: .release(then: .released), .leaseEnded: .release(then: .expired),
        ],
        .committed: [
            .orderPaid(order): .none, .orderUndone(order): .takeBack, .orderShipped(order): .finish, .givenUp: .refuse, .leaseEnded: .none,
        ],
        .released: [
            .orderPaid(order): .sellAgain(for: order), .orderUndone(order): .close(.cancelled), .orderShipped(order): .none,
            .givenUp: .none, .leaseEnded: .none,
        ],
        .expired: [
            .orderPaid(order): .sellAgain(for: order), .orderUndone(order): .close(.cancelled), .orderShipped(order): .none,
            .givenUp: .none, .leaseEnded: .none,
        ],
        .returned: Dictionary(uniqueKeysWithValues: events.map { ($0, .none) }),
        .cancelled: Dictionary(uniqueKeysWithValues: events.map { ($0, .none) }),
        .lost: [
            .orderPaid(order): .none, .orderUndone(order): .finish, .orderShipped(order): .finish, .givenUp: .none, .leaseEnded: .none,
        ],
    ]

    @Test("every event in every state does what the table says", arguments: ReservationState.allCases, Self.events)
    func transitions(state: ReservationState, event: ReservationEvent) throws {
        #expect(state.transition(on: event) == (try #require(Self.table[state]?[event])))
    }

    @Test("an event that repeats changes nothing", arguments: ReservationState.allCases, Self.events)
    func repetition(state: ReservationState, event: ReservationEvent) {
        for next in results(of: state.transition(on: event)) {
            #expect([.none, .refuse].contains(next.transition(on: event)))
        }
    }

    @Test("what is over stays over: no event moves stock for an order that was cancelled, returned or lost")
    func finality() {
        for state in [ReservationState.returned, .cancelled, .lost] {
            #expect(Self.events.allSatisfy { [.none, .finish].contains(state.transition(on: $0)) })
        }
    }

    private func results(of transition: ReservationTransition) -> [ReservationState] {
        switch transition {
        case .none, .refuse, .finish: []
        case .release(let state), .close(let state): [state]
        case .sell: [.committed]
        case .sellAgain: [.committed, .lost]
        case .takeBack: [.returned]
        }
    }
}
