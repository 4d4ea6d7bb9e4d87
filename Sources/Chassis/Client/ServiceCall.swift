import Contracts
import HTTPTypes
import Resilience

// One call: up to three attempts within one time limit.
//
//     limit      the least of the call's timeout and what is left of the deadline of the request being answered
//     attempt    breaker admits? → headers, span → transport → breaker and metrics learn the outcome
//     repeat?    only an idempotent call; only after a failure that may pass (no connection, no answer, 502, 503, 504); not when the
//                service said when to come back (`Retry-After`), not when the breaker is open, not beyond the retry budget, and not
//                when the pause would take what time is left
//
// What is not repeated ends here. After an attempt with an unknown outcome, an idempotent call is `unavailable` (do it again when you
// like), any other `timedOut` (find out first).

struct ServiceCall: Sendable {
    /// What a call takes from its client.
    struct Environment: Sendable {
        let transport: HTTPTransport
        let credentials: ServiceCredentials?
        let time: TimeSource
        let randomness: Randomness
        let policy: ClientPolicy
        let callGuard: CallGuard
        let instruments: ClientInstruments
    }

    /// An attempt with less time than this that runs out of it says nothing about the service.
    private static let shortestFairTimeout: Duration = .milliseconds(100)

    private let service: ServiceName
    private let request: OutboundRequest
    private let isIdempotent: Bool
    private let attemptTimeout: Duration
    /// On the monotonic clock.
    private let limit: Duration
    private let environment: Environment
    private let telemetry: CallTelemetry

    init(
        service: ServiceName, request: OutboundRequest, route: String, isIdempotent: Bool, timeout: Duration?, environment: Environment
    ) {
        self.service = service
        self.request = request
        self.isIdempotent = isIdempotent
        self.environment = environment
        self.telemetry = CallTelemetry(
            service: service, method: request.method, route: route, instruments: environment.instruments)
        let time = environment.time
        let ownLimit = timeout ?? environment.policy.timeout
        self.limit = time.monotonic + min(ownLimit, Deadline.current?.remaining(time) ?? ownLimit)
        // A call that names its time, such as a long poll, wants it for each attempt. One that cannot be repeated has but one attempt.
        self.attemptTimeout = timeout == nil && isIdempotent ? environment.policy.attemptTimeout : ownLimit
    }

    func run() async throws(ServiceClientError) -> InboundResponse {
        environment.callGuard.beginCall()
        defer { environment.callGuard.endCall() }
        var result = await attempt()
        for retry in 1..<max(1, environment.policy.attempts) {
            guard mayRetry(after: result), environment.callGuard.beginRetry() else { break }
            defer { environment.callGuard.endRetry() }
            guard await pause(beforeRetry: retry) else { break }
            telemetry.countRetry()
            result = await attempt()
        }
        switch result {
        case .success(let response): return response
        case .failure(let failure): throw error(for: failure)
        }
    }

    // MARK: One attempt

    private var timeLeft: Duration { max(.zero, limit - environment.time.monotonic) }

    private func attempt() async -> Result<InboundResponse, CallFailure> {
        let timeout = min(attemptTimeout, timeLeft)
        guard timeout > .zero, case .admitted(let permit) = environment.callGuard.admit() else { return .failure(.refused) }
        let start = environment.time.monotonic
        var request = request
        addHeaders(to: &request.headers, timeout: timeout)
        let span = telemetry.startSpan(injectingInto: &request.headers)
        let result = await perform(request, timeout: timeout)
        environment.callGuard.record(Self.outcome(of: result, timeout: timeout), for: permit)
        telemetry.end(span, result)
        telemetry.record(result, duration: environment.time.monotonic - start)
        return result
    }

    private func perform(_ request: OutboundRequest, timeout: Duration) async -> Result<InboundResponse, CallFailure> {
        do throws(TransportError) {
            return .success(try await environment.transport.send(request, timeout: timeout))
        } catch {
            return .failure(.transport(error))
        }
    }

    private func addHeaders(to headers: inout HTTPFields, timeout: Duration) {
        if headers[.accept] == nil { headers[.accept] = "application/json" }
        if let credentials = environment.credentials { headers[.authorization] = "Bearer \(credentials.token())" }
        if let requestID = RequestIdentity.current { headers[.xRequestID] = requestID }
        headers[.soukDeadline] = Deadline.headerValue(timeout: timeout)
    }

    private static func outcome(of result: Result<InboundResponse, CallFailure>, timeout: Duration) -> CircuitBreaker.Outcome {
        switch result {
        case .success(let response): response.status.kind == .serverError ? .failure : .success
        case .failure(.transport(.notConnected)): .connectFailure
        case .failure(.transport(.interrupted)): .failure
        case .failure(.transport(.timedOut)): timeout >= shortestFairTimeout ? .failure : .abandoned
        case .failure(.transport(.replyTooLarge)): .success
        case .failure(.transport(.invalidRequest)), .failure(.transport(.cancelled)), .failure(.refused): .abandoned
        }
    }

    // MARK: Another one?

    private func mayRetry(after result: Result<InboundResponse, CallFailure>) -> Bool {
        guard isIdempotent, !Task.isCancelled else { return false }
        return switch result {
        case .success(let response):
            [502, 503, 504].contains(response.status.code) && response.headers[.retryAfter] == nil
        case .failure(.transport(let error)):
            error == .notConnected || error == .timedOut || error == .interrupted
        case .failure(.refused):
            false
        }
    }

    /// Waits a random time before a retry; false when there is no time for it or the task was cancelled.
    private func pause(beforeRetry number: Int) async -> Bool {
        let pause = environment.randomness.duration(below: environment.policy.backoff.limit(beforeRetry: number))
        guard pause < timeLeft else { return false }
        do {
            try await environment.time.sleep(for: pause)
            return true
        } catch {
            return false
        }
    }

    private func error(for failure: CallFailure) -> ServiceClientError {
        switch failure {
        case .refused, .transport(.notConnected): .unavailable(service)
        case .transport(.timedOut), .transport(.interrupted): isIdempotent ? .unavailable(service) : .timedOut(service)
        case .transport(.replyTooLarge): .malformedReply(service)
        case .transport(.invalidRequest): .malformedRequest(service)
        case .transport(.cancelled): .cancelled
        }
    }
}
