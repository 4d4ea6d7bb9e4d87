import Chassis
import Commerce
import Contracts
import Synchronization
import Testing

@testable import OrderService

@Suite struct ReservationBatcherTests {
    @Test("the first reservation leaves at once; those that come meanwhile leave together when it is back")
    func coalescing() async throws {
        let runway = Runway()
        let batcher = ReservationBatcher(time: ManualTime().source, send: runway.send)
        try await withThrowingTaskGroup(of: ReservationOutcome.self) { group in
            group.addTask { try await batcher.reserve(request(0)) }
            let first = await runway.nextFlight()
            #expect(first.ids == ["0"])
            // One after another, so that the order of arrival is known.
            for number in 1...30 {
                group.addTask { try await batcher.reserve(request(number)) }
                await batcher.waits(for: number)
            }
            first.land()
            let second = await runway.nextFlight()
            #expect(second.ids == (1...30).map(String.init))
            second.land()
            let outcomes = try await group.reduce(into: Set<ReservationOutcome>()) { $0.insert($1) }
            #expect(outcomes == Set((0...30).map(outcome)))
        }
        #expect(runway.flightCount == 2)
    }

    @Test("everybody gets the answer to their own request, whatever the order of the flights")
    func answers() async throws {
        let batcher = ReservationBatcher(time: ManualTime().source) { requests async throws(ProductsError) in
            await Task.yield()
            return requests.map { outcome(of: $0) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask {
                    let answer = try await batcher.reserve(request(number))
                    #expect(answer == outcome(number))
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("a full queue refuses the next at once and serves those that wait")
    func bound() async throws {
        var limits = ReservationBatcher.Limits()
        (limits.waiting, limits.flights) = (3, 1)
        let runway = Runway()
        let batcher = ReservationBatcher(limits: limits, time: ManualTime().source, send: runway.send)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await batcher.reserve(request(0)) }
            let first = await runway.nextFlight()
            for number in 1...3 { group.addTask { _ = try await batcher.reserve(request(number)) } }
            await batcher.waits(for: 3)
            await #expect(throws: ProductsError.overloaded) { try await batcher.reserve(request(4)) }
            first.land()
            let second = await runway.nextFlight()
            #expect(second.ids.count == 3)
            second.land()
            try await group.waitForAll()
        }
    }

    @Test("who waits longer than the limit is sent home, on the ground and in the air")
    func deadline() async throws {
        let time = ManualTime()
        var limits = ReservationBatcher.Limits()
        (limits.timeout, limits.flights) = (.seconds(4), 1)
        let runway = Runway()
        let batcher = ReservationBatcher(limits: limits, time: time.source, send: runway.send)
        async let inTheAir = batcher.result(of: 0)
        let first = await runway.nextFlight()
        async let onTheGround = batcher.result(of: 1)
        await batcher.waits(for: 1)
        await time.sleepers(1)
        time.advance(by: .seconds(4))
        #expect(await inTheAir == .failure(.timedOut))
        #expect(await onTheGround == .failure(.timedOut))
        async let later = batcher.result(of: 2)
        await batcher.waits(for: 1)
        first.land()
        // The one who went home does not travel.
        let second = await runway.nextFlight()
        #expect(second.ids == ["2"])
        second.land()
        #expect(await later == .success(outcome(2)))
    }

    @Test("a request's own deadline holds where it is nearer")
    func ownDeadline() async throws {
        let time = ManualTime()
        let runway = Runway()
        let batcher = ReservationBatcher(time: time.source, send: runway.send)
        async let patient = batcher.result(of: 0)
        let first = await runway.nextFlight()
        async let hasty = Deadline.$current.withValue(Deadline(after: .milliseconds(50), time: time.source)) {
            await batcher.result(of: 1)
        }
        await batcher.waits(for: 1)
        await time.sleepers(1)
        time.advance(by: .milliseconds(50))
        #expect(await hasty == .failure(.timedOut))
        first.land()
        #expect(await patient == .success(outcome(0)))
    }

    @Test("when the one who started a flight goes away, the others still get their answers")
    func cancelled() async throws {
        let runway = Runway()
        let batcher = ReservationBatcher(time: ManualTime().source, send: runway.send)
        async let warmUp = batcher.result(of: 0)
        let first = await runway.nextFlight()
        let leaver = Task { await batcher.result(of: 1) }
        await batcher.waits(for: 1)
        async let stayer = batcher.result(of: 2)
        await batcher.waits(for: 2)
        first.land()
        let second = await runway.nextFlight()
        #expect(second.ids == ["1", "2"])
        leaver.cancel()
        #expect(await leaver.value == .failure(.cancelled))
        second.land()
        #expect(await stayer == .success(outcome(2)))
        #expect(await warmUp == .success(outcome(0)))
        // One that is cancelled before it begins is never sent.
        let early = Task { await batcher.result(of: 3) }
        early.cancel()
        _ = await early.value
    }

    @Test("a flight that fails fails for all its passengers, and the next one leaves")
    func failure() async throws {
        let runway = Runway()
        let batcher = ReservationBatcher(time: ManualTime().source, send: runway.send)
        async let first = batcher.result(of: 0)
        let flight = await runway.nextFlight()
        async let second = batcher.result(of: 1)
        await batcher.waits(for: 1)
        flight.crash(.unavailable)
        #expect(await first == .failure(.unavailable))
        await runway.nextFlight().land()
        #expect(await second == .success(outcome(1)))
    }

    @Test("an answer that leaves somebody out is no answer")
    func shortAnswer() async throws {
        let batcher = ReservationBatcher(time: ManualTime().source) { _ async throws(ProductsError) in [] }
        await #expect(throws: ProductsError.malformed) { try await batcher.reserve(request(0)) }
    }

    // MARK: The rules by themselves

    @Test("a second flight leaves beside the first only when it is full or the last departure is long ago")
    func secondFlight() throws {
        var limits = ReservationBatcher.Limits()
        (limits.batch, limits.flights, limits.patience) = (3, 2, .milliseconds(25))
        var queue = ReservationQueue(limits: limits)
        func arrive(_ tickets: ClosedRange<UInt64>) {
            for ticket in tickets {
                let hasRoom = queue.arrive(ticket, request(Int(ticket)))
                #expect(hasRoom)
            }
        }
        /// Who leaves now.
        func departure(_ now: Duration) -> [UInt64]? { queue.departure(now: now)?.tickets }
        arrive(1...1)
        #expect(departure(.zero) == [1])
        arrive(2...3)
        #expect(departure(.milliseconds(24)) == nil)
        arrive(4...4)
        #expect(departure(.milliseconds(24)) == [2, 3, 4])
        arrive(5...9)
        // Both runways are taken, however long ago.
        #expect(departure(.seconds(5)) == nil)
        queue.land()
        #expect(departure(.seconds(5)) == [5, 6, 7])
        queue.leave(8)
        queue.land()
        #expect(departure(.seconds(5)) == nil)
        #expect(departure(.seconds(5) + .milliseconds(25)) == [9])
        #expect(queue.waitingCount == 0)
    }
}

private func request(_ number: Int) -> ReservationRequest { ReservationRequest(id: "\(number)", lines: []) }

/// An answer that tells whose it is.
private func outcome(_ number: Int) -> ReservationOutcome { outcome(of: request(number)) }

private func outcome(of request: ReservationRequest) -> ReservationOutcome {
    .reserved(lines: [], expiresAt: Timestamp(millisecondsSinceEpoch: Int64(request.id) ?? -1))
}

extension ReservationBatcher {
    fileprivate func result(of number: Int) async -> Result<ReservationOutcome, ProductsError> {
        do { return .success(try await reserve(request(number))) } catch { return .failure(error) }
    }

    /// Returns once so many wait on the ground.
    fileprivate func waits(for count: Int) async {
        while waitingCount < count { await Task.yield() }
    }
}

/// A product-service whose answers come when the test says so.
private final class Runway: Sendable {
    struct Flight: Sendable {
        let requests: [ReservationRequest]
        fileprivate let continuation: CheckedContinuation<Result<[ReservationOutcome], ProductsError>, Never>

        var ids: [String] { requests.map(\.id) }
        func land() { continuation.resume(returning: .success(requests.map { outcome(of: $0) })) }
        func crash(_ error: ProductsError) { continuation.resume(returning: .failure(error)) }
    }

    private let flights: AsyncStream<Flight>
    private let departures: AsyncStream<Flight>.Continuation
    private let count = Mutex(0)

    init() {
        (flights, departures) = AsyncStream.makeStream()
    }

    var flightCount: Int { count.withLock { $0 } }

    func send(_ requests: [ReservationRequest]) async throws(ProductsError) -> [ReservationOutcome] {
        let result = await withCheckedContinuation { continuation in
            count.withLock { $0 += 1 }
            departures.yield(Flight(requests: requests, continuation: continuation))
        }
        return try result.get()
    }

    func nextFlight() async -> Flight {
        for await flight in flights { return flight }
        preconditionFailure("the stream never ends")
    }
}
