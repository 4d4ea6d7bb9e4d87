import ChassisEvents

/// The recurring job that ends leases whose time is over.
struct LeaseSweep: Sendable {
    let reservations: ReservationStore

    /// How long a lease may stand after its time.
    static let interval: Duration = .seconds(2)
    /// Leases ended in one transaction: other writers wait for it.
    static let batchSize = 100
    /// Transactions of one run; what is left waits for the next.
    static let mostBatches = 100

    var job: JobHandler {
        .every(Self.interval, name: "end expired reservations") { _ in try await run() }
    }

    func run() async throws {
        for _ in 0..<Self.mostBatches {
            guard try await reservations.expireLeases(atMost: Self.batchSize) == Self.batchSize else { return }
        }
    }
}
