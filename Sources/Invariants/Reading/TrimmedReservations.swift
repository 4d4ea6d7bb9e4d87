import ChassisStorage
import Commerce

/// How far product-service has trimmed its reservations. It trims those whose order was over long ago, and notes the latest end among them.
///
/// To be read in the snapshot that the reservations were looked for in, or later: then whatever was gone by then is excused, and nothing
/// that ended after the mark.
struct TrimmedReservations: Sendable {
    /// What ended up to here may be gone; the beginning of time when nothing ever was trimmed.
    let horizon: Timestamp

    /// The end of an order is noted by one machine's clock, that of its reservation, later, by another's.
    private static let clockDifference: Duration = .seconds(300)

    init(in transaction: Transaction) throws {
        let through = try transaction.value("SELECT trimmed_through FROM reservation_retention", as: Int64.self) ?? 0
        horizon = through == 0 ? Timestamp(millisecondsSinceEpoch: 0) : Timestamp(millisecondsSinceEpoch: through) + Self.clockDifference
    }

    /// Whether the reservation of an order that was over by then may be gone; nil is an order that is not.
    func mayInclude(endOfOrder end: Timestamp?) -> Bool {
        end.map { $0 <= horizon } ?? false
    }
}
