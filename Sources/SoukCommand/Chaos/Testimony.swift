import Chassis
import Foundation
import Synchronization

/// What customers have lived through in a run of `souk chaos`, and what they were told.
final class Testimony: Sendable {
    /// An order for which a customer has seen a 201.
    struct Accepted: Sendable {
        let order: PlacedOrder
        let visitor: Visitor
        let key: String
        let body: JSONValue
        /// When the attempt that was answered was sent, since the beginning.
        let sent: Duration
        let answered: Duration
    }

    struct State: Sendable {
        var accepted: [Accepted] = []
        /// Orders that had to be sent more than once.
        var repeated = 0
        /// Refused for good, by the sentence that the customer got.
        var refused: [String: Int] = [:]
        /// Attempts without an answer, or told to come later, by what the customer saw.
        var hindered: [String: Int] = [:]
        /// Keys whose fate the customer never learned.
        var unanswered: [String] = []
        /// What the shop must never say.
        var contradictions: [String] = []
        /// Visits other than orders that succeeded: `cancelled`, `shipped` and so on.
        var visits: [String: Int] = [:]
    }

    private let state = Mutex(State())

    var now: State { state.withLock { $0 } }

    func note<Result: Sendable>(_ change: (inout State) -> Result) -> Result {
        state.withLock { change(&$0) }
    }

    func contradict(_ sentence: String) {
        note { $0.contradictions.append(sentence) }
    }

    func hinder(_ reason: String) {
        note { $0.hindered[reason, default: 0] += 1 }
    }
}

/// An order as far as a customer remembers it.
struct PlacedOrder: Sendable, Hashable, Decodable {
    struct Line: Sendable, Hashable, Decodable {
        let productId: Int64
        let quantity: Int64
        let lineTotal: Decimal
    }

    let id: Int64
    let items: [Line]
    let totalPrice: Decimal
    let currency: String
}
