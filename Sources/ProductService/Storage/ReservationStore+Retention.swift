import ChassisEvents
import ChassisStorage
import Commerce

// How long reservations are kept.
//
// A reservation is needed as long as anything can happen to it, and that is written down in `ended_at`, the time at which it came to its end:
//
//   returned, cancelled    its order is off, and no event about it has an effect any more
//   committed              no end, until the order is shipped: before that it may be cancelled or refunded, and the pieces come back
//   lost                   no end, until the order is off, or shipped all the same
//   released, expired      no pieces are held, but the lease may be of an order that is still to be paid. Such an order waits for a week at
//                          most, and its events for as long as events are kept at most: together less than the retention
//   held                   no end: the lease has one
//
// So the end of a reservation is never before that of its order.
//
// So what is trimmed can be asked for only by who is too late: an event that was parked for a person and is replayed after more than the
// retention. It is refused as that of an unknown reservation and stays parked. A late repeat of the request that made the reservation does
// not come here, for its order refuses it (`Checkout`).
//
// What stays are the shop's books: the movements say for ever what left the shelf for which order and what came back. Trimming is never
// silent: `reservation_retention` has the latest end that was trimmed, by which an audit knows an old order from one that was robbed.

extension ReservationStore {
    static func retention(keeping age: Duration) -> Retention {
        Retention("reservation-retention", keeping: age) { try trimEnded(before: $0, limit: $1, in: $2) }
    }

    private static func trimEnded(before cutoff: Timestamp, limit: Int, in transaction: Transaction) throws -> Int {
        let ended = try transaction.all(
            "SELECT number, ended_at FROM reservations WHERE ended_at < \(cutoff) ORDER BY ended_at LIMIT \(limit)"
        ) { (number: try $0["number"] as Int64, end: try $0["ended_at"] as Timestamp) }
        guard let last = ended.last?.end else { return 0 }
        let numbers = ended.map(\.number)
        try transaction.execute("DELETE FROM reservation_lines WHERE reservation IN \(list: numbers)")
        try transaction.execute("DELETE FROM reservations WHERE number IN \(list: numbers)")
        try transaction.execute("UPDATE reservation_retention SET trimmed_through = \(last) WHERE trimmed_through < \(last)")
        return ended.count
    }
}
