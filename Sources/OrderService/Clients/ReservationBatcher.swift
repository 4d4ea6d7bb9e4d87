import Chassis
import Contracts
import Synchronization
import Tracing

// Every order needs one reservation, and a call to product-service costs far more than what is done there: serialising, two HTTP heads,
// system calls, task switches, and on the other side a commit. Sent one by one they are the largest part of what an order costs.
// Sent together they share all of it.
//
// The rule is Nagle's (RFC 896), for reservations: the first leaves at once; while it is under way others gather; when it lands, all that
// gathered leave together, up to `batch`. So an idle shop adds no delay, and a busy one forms batches of just the size that its own
// round trip allows, with no timer to tune. A second flight may leave beside the first when a whole batch is waiting, or when the last
// departure is longer ago than `patience`, so that one slow answer does not hold up everybody; never more than `flights` at a time.
//
// Bounds. At most `waiting` requests wait; one more is refused at once, which the customer sees as a 503 with `Retry-After`. Nobody waits
// longer than `timeout` or than the deadline of the request that they serve, on the ground or in the air: one alarm, set to the earliest
// deadline of all, sends them home. What was asked for them may still be carried out. Their request can be repeated with the same key,
// or their lease ends by itself.
//
// One caller's end is not another's. A flight runs in a task of its own, owned by the batcher and not by the caller that happened to start
// it: when that one's client hangs up, the others still get their answers. It is told no caller's deadline but `timeout`, and it carries the
// trace and request id of its first passenger, for want of a better one.
//
// A failure of a flight is the failure of all its passengers. They were all unlucky in the same way, and all of them may ask again.

/// Sends the reservations that wait at the same moment as one request.
final class ReservationBatcher: Sendable {
    /// How much, how many, how long.
    struct Limits: Sendable {
        /// Reservations in one request, at most.
        var batch = ReservationBatch.largest
        /// Requests under way at the same time, at most.
        var flights = 4
        /// Reservations that wait for their turn, at most.
        var waiting = 2_048
        /// After this long since the last departure a further flight may leave less than full.
        var patience: Duration = .milliseconds(25)
        /// How long a caller waits, at most.
        var timeout: Duration = .seconds(4)
    }

    typealias Send = @Sendable ([ReservationRequest]) async throws(ProductsError) -> [ReservationOutcome]

    private struct Caller {
        let continuation: CheckedContinuation<Result<ReservationOutcome, ProductsError>, Never>
        let deadline: Duration
        let context: ServiceContext?
    }

    private struct Alarm {
        let moment: Duration
        let task: Task<Void, Never>
    }

    private struct State {
        var queue: ReservationQueue
        var callers: [ReservationQueue.Ticket: Caller] = [:]
        var flights: [UInt64: Task<Void, Never>] = [:]
        var alarm: Alarm?
    }

    private let limits: Limits
    private let time: TimeSource
    private let send: Send
    private let state: Mutex<State>
    private let nextTicket = Atomic<UInt64>(0)

    /// - Parameter send: asks product-service; its outcomes are in the order of the requests.
    init(limits: Limits = Limits(), time: TimeSource, send: @escaping Send) {
        self.limits = limits
        self.time = time
        self.send = send
        state = Mutex(State(queue: ReservationQueue(limits: limits)))
    }

    /// Reserves, together with whoever else waits now.
    ///
    /// - Throws: `ProductsError`; `overloaded` when the queue is full, `timedOut` when the caller's deadline has passed.
    func reserve(_ request: ReservationRequest) async throws(ProductsError) -> ReservationOutcome {
        let ticket = nextTicket.add(1, ordering: .relaxed).newValue
        let patience = Deadline.current.map { min($0.remaining(time), limits.timeout) } ?? limits.timeout
        let deadline = time.monotonic + patience
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                enter(ticket, request, Caller(continuation: continuation, deadline: deadline, context: ServiceContext.current))
            }
        } onCancel: {
            leave(ticket)
        }
        return try result.get()
    }

    /// How many wait for their turn.
    var waitingCount: Int { state.withLock { $0.queue.waitingCount } }

    /// Waits for the flights under way. Called when nobody can ask any more.
    func shutDown() async {
        let flights = state.withLock { state in
            state.alarm?.task.cancel()
            state.alarm = nil
            return Array(state.flights.values)
        }
        for flight in flights { await flight.value }
    }
}

// MARK: - Coming and going

extension ReservationBatcher {
    private func enter(_ ticket: ReservationQueue.Ticket, _ request: ReservationRequest, _ caller: Caller) {
        let refusal: ProductsError? = state.withLock { state in
            // Under the lock that `leave` takes too: whichever comes first, the caller is resumed once.
            guard !Task.isCancelled else { return .cancelled }
            guard state.queue.arrive(ticket, request) else { return .overloaded }
            state.callers[ticket] = caller
            depart(&state)
            setAlarm(&state, for: caller.deadline)
            return nil
        }
        if let refusal { caller.continuation.resume(returning: .failure(refusal)) }
    }

    private func leave(_ ticket: ReservationQueue.Ticket) {
        let caller = state.withLock { state in
            state.queue.leave(ticket)
            return state.callers.removeValue(forKey: ticket)
        }
        caller?.continuation.resume(returning: .failure(.cancelled))
    }
}

// MARK: - Flights

extension ReservationBatcher {
    /// Sends off whatever is due.
    private func depart(_ state: inout State) {
        while let flight = state.queue.departure(now: time.monotonic) {
            let context = flight.tickets.first.flatMap { state.callers[$0]?.context }
            // Cannot end before it is kept: its last step takes the lock that is held here.
            state.flights[flight.number] = ServiceExecutor.task { await self.fly(flight, in: context) }
        }
    }

    private func fly(_ flight: ReservationQueue.Flight, in context: ServiceContext?) async {
        let result = await ServiceContext.withValue(context) {
            await Deadline.$current.withValue(Deadline(after: limits.timeout, time: time)) { await ask(flight.requests) }
        }
        let callers = state.withLock { state in
            state.flights[flight.number] = nil
            state.queue.land()
            depart(&state)
            return flight.tickets.map { state.callers.removeValue(forKey: $0) }
        }
        for (index, caller) in callers.enumerated() {
            caller?.continuation.resume(returning: result.map { $0[index] })
        }
    }

    private func ask(_ requests: [ReservationRequest]) async -> Result<[ReservationOutcome], ProductsError> {
        do {
            let outcomes = try await send(requests)
            return outcomes.count == requests.count ? .success(outcomes) : .failure(.malformed)
        } catch {
            return .failure(error)
        }
    }
}

// MARK: - Deadlines

extension ReservationBatcher {
    /// Sees to it that there is an alarm no later than `deadline`. Mostly there is: who comes later may mostly wait longer.
    private func setAlarm(_ state: inout State, for deadline: Duration) {
        if let alarm = state.alarm, alarm.moment <= deadline { return }
        state.alarm?.task.cancel()
        let wait = max(.zero, deadline - time.monotonic)
        state.alarm = Alarm(
            moment: deadline,
            task: ServiceExecutor.task { [time] in
                do { try await time.sleep(for: wait) } catch { return }
                self.ring(deadline)
            })
    }

    private func ring(_ moment: Duration) {
        let late = state.withLock { state in
            guard state.alarm?.moment == moment else { return [Caller]() }
            state.alarm = nil
            let now = time.monotonic
            let tickets = state.callers.filter { $0.value.deadline <= now }.map(\.key).sorted()
            for ticket in tickets { state.queue.leave(ticket) }
            let late = tickets.compactMap { state.callers.removeValue(forKey: $0) }
            if let earliest = state.callers.values.map(\.deadline).min() { setAlarm(&state, for: earliest) }
            return late
        }
        for caller in late { caller.continuation.resume(returning: .failure(.timedOut)) }
    }
}
