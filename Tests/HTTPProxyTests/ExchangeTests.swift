import Testing

@testable import HTTPProxy

@Suite("The exchange as a state machine")
struct ExchangeTests {
    private struct Position: Hashable {
        var exchange: Exchange
        var witness: ExchangeWitness
    }

    /// Follows every event that the world can send from every position that can be reached, until nothing new comes up. So every interleaving, of
    /// whatever length, is covered: two histories that lead to the same position have the same futures.
    @Test("every interleaving keeps every promise", arguments: [true, false], [0, 1, 2])
    func everyInterleaving(isRepeatable: Bool, retries: Int) throws {
        for keepsClient in [true, false] { try everyInterleaving(isRepeatable: isRepeatable, retries: retries, keepsClient: keepsClient) }
    }

    private static func exchange(isRepeatable: Bool, retries: Int = 0, keepsClient: Bool = true) -> Exchange {
        var exchange = Exchange(keepsClient: keepsClient)
        exchange.allowRetries(retries, isRepeatable: isRepeatable)
        return exchange
    }

    private func everyInterleaving(isRepeatable: Bool, retries: Int, keepsClient: Bool) throws {
        let start = Position(
            exchange: Self.exchange(isRepeatable: isRepeatable, retries: retries, keepsClient: keepsClient),
            witness: ExchangeWitness(isRepeatable: isRepeatable, retries: retries, keepsClient: keepsClient))
        var cameFrom: [Position: (Position, ExchangeEvent)] = [:]
        var seen: Set<Position> = [start]
        var open = [start]
        var endings = 0
        var steps = 0
        while let position = open.popLast() {
            for event in position.witness.possibleEvents {
                steps += 1
                var next = position
                let reaction = next.exchange.handle(event)
                do {
                    try next.witness.observe(event, reaction)
                } catch {
                    Issue.record("\(error) by \(history(of: position, cameFrom) + [event]) which led to \(reaction)")
                    return
                }
                #expect(next.exchange.isFinished == next.witness.finished)
                if next.exchange.isFinished {
                    endings += 1
                    try checkSilence(next)
                } else if seen.insert(next).inserted {
                    cameFrom[next] = (position, event)
                    open.append(next)
                }
            }
            try checkAlwaysEnds(position)
        }
        // Guards against a world that cannot do anything and so proves nothing.
        #expect(seen.count > 100)
        #expect(steps > 1500)
        #expect(endings > 900)
    }

    /// All sequences up to a length, also those that no world could send: whatever a driver gets wrong, the client's side stays sound.
    @Test("any sequence of events, possible or not, gives at most one response", arguments: [true, false])
    func anySequence(isRepeatable: Bool) {
        let events: [ExchangeEvent] = [
            .forward, .answer, .replay, .requestBody(fits: true), .requestEnd, .clientHalfClosed, .upstreamReady(reused: true),
            .upstreamUnavailable(.connectFailed, mayRetry: true), .responseInformational, .responseHead(keepsAlive: true, mayRetry: true),
            .responseHead(keepsAlive: true, mayRetry: false), .responseBody, .responseEnd(isReusable: true),
            .upstreamClosed(silent: true, mayRetry: true),
            .timeout, .clientWritable(false), .upstreamWritable(false),
        ]
        var count = 0
        func extend(_ exchange: Exchange, _ heads: Int, _ ended: Bool, depth: Int) {
            count += 1
            guard depth > 0 else { return }
            for event in events {
                var next = exchange
                let actions = next.handle(event).actions
                let newHeads = heads + (actions.contains(.writeResponseHead) ? 1 : 0) + (actions.contains(.writeAnswer) ? 1 : 0)
                let writes = !actions.isDisjoint(with: [
                    .writeInformational, .writeResponseHead, .writeResponseBody, .writeResponseEnd, .writeAnswer,
                ])
                if newHeads > 1 || (ended && writes) {
                    Issue.record("a second response by \(event) in \(exchange)")
                    return
                }
                let hasEnded = ended || actions.contains(.writeResponseEnd) || actions.contains(.writeAnswer)
                extend(next, newHeads, hasEnded, depth: depth - 1)
            }
        }
        extend(Self.exchange(isRepeatable: isRepeatable, retries: 1), 0, false, depth: 4)
        #expect(count > 50_000)
    }

    private func history(of position: Position, _ cameFrom: [Position: (Position, ExchangeEvent)]) -> [ExchangeEvent] {
        var events: [ExchangeEvent] = []
        var current = position
        while let (previous, event) = cameFrom[current] {
            events.insert(event, at: 0)
            current = previous
        }
        return events
    }

    private func checkSilence(_ position: Position) throws {
        for event in [ExchangeEvent.requestBody(fits: true), .responseBody, .timeout, .clientGone, .upstreamReady(reused: false), .answer] {
            var after = position
            #expect(after.exchange.handle(event).actions.isEmpty)
        }
    }

    /// From every position the clock or the client's death ends the exchange: nothing can hang.
    private func checkAlwaysEnds(_ position: Position) throws {
        for event in [ExchangeEvent.timeout, .clientGone] {
            var next = position.exchange
            _ = next.handle(event)
            #expect(next.isFinished)
        }
    }

    // MARK: Named cases

    private func run(_ exchange: inout Exchange, _ events: [ExchangeEvent]) -> [ExchangeReaction] {
        events.map { exchange.handle($0) }
    }

    @Test("a plain request takes an idle connection, gives it back and keeps the client")
    func plainRequest() {
        var exchange = Self.exchange(isRepeatable: true)
        let reactions = run(
            &exchange,
            [
                .requestEnd, .forward, .upstreamReady(reused: true), .responseHead(keepsAlive: true, mayRetry: false), .responseBody,
                .responseEnd(isReusable: true),
            ])
        #expect(
            reactions.map(\.actions) == [
                [], .acquire, [.sendRequestHead, .sendRequestEnd], .writeResponseHead, .writeResponseBody,
                [.writeResponseEnd, .releaseUpstream, .finishKeepingClient],
            ])
    }

    @Test("a stale connection is replaced once, and only once")
    func staleConnection() {
        var exchange = Self.exchange(isRepeatable: true)
        let reactions = run(
            &exchange,
            [
                .requestEnd, .forward, .upstreamReady(reused: true), .upstreamClosed(silent: true, mayRetry: false),
                .upstreamReady(reused: false),
                .upstreamClosed(silent: true, mayRetry: false),
            ])
        #expect(reactions[3].actions == [.closeUpstream, .acquireFresh])
        #expect(reactions[4].actions == [.sendRequestHead, .sendRequestEnd])
        #expect(
            reactions[5]
                == ExchangeReaction(
                    actions: [.blameEndpoint, .closeUpstream, .writeAnswer, .finishKeepingClient], failure: .upstreamClosed))
    }

    @Test("a POST on a stale connection is not repeated")
    func stalePost() {
        var exchange = Self.exchange(isRepeatable: false)
        let reactions = run(
            &exchange, [.requestEnd, .forward, .upstreamReady(reused: true), .upstreamClosed(silent: true, mayRetry: false)])
        #expect(reactions[3].failure == .upstreamClosed)
    }

    @Test("a timeout before the response is a 504, while the request is incomplete a 408, and after a response head a cut")
    func timeouts() {
        var waiting = Self.exchange(isRepeatable: true)
        #expect(run(&waiting, [.requestEnd, .forward, .upstreamReady(reused: false), .timeout])[3].failure == .upstreamTimeout)
        var receiving = Self.exchange(isRepeatable: true)
        #expect(run(&receiving, [.forward, .upstreamReady(reused: false), .timeout])[2].failure == .requestTimeout)
        var streaming = Self.exchange(isRepeatable: true)
        let cut = run(
            &streaming, [.requestEnd, .forward, .upstreamReady(reused: false), .responseHead(keepsAlive: true, mayRetry: false), .timeout])[
                4]
        #expect(cut.actions == [.closeUpstream, .finishCuttingClient])
    }

    @Test("a response that overtakes its request ends both connections")
    func earlyResponse() {
        var exchange = Self.exchange(isRepeatable: false)
        let reactions = run(
            &exchange,
            [
                .forward, .upstreamReady(reused: false), .requestBody(fits: true), .responseHead(keepsAlive: true, mayRetry: false),
                .responseEnd(isReusable: true),
            ])
        #expect(reactions[4].actions == [.writeResponseEnd, .closeUpstream, .finishClosingClient])
    }

    @Test("a body that arrives before its upstream is held, one piece, and the client waits")
    func heldBody() {
        var exchange = Self.exchange(isRepeatable: false)
        let reactions = run(
            &exchange, [.requestBody(fits: true), .forward, .upstreamReady(reused: true), .requestBody(fits: true), .requestEnd])
        #expect(
            reactions.map(\.actions) == [
                [.holdBody, .pauseClient], .acquire, [.sendRequestHead, .sendHeldBody, .dropHeldBody, .resumeClient], .sendRequestBody,
                .sendRequestEnd,
            ])
    }

    @Test("a request that an upstream cannot serve is sent again with the body it had, twice if it may")
    func retried() {
        var exchange = Self.exchange(isRepeatable: true, retries: 2)
        let reactions = run(
            &exchange,
            [
                .forward, .upstreamReady(reused: false), .requestBody(fits: true), .requestEnd,
                .responseHead(keepsAlive: true, mayRetry: true), .upstreamReady(reused: false),
                .upstreamClosed(silent: false, mayRetry: true),
                .upstreamReady(reused: false), .responseHead(keepsAlive: true, mayRetry: true),
            ])
        #expect(
            reactions[2...].map(\.actions) == [
                [.sendRequestBody, .holdBody], .sendRequestEnd, [.closeUpstream, .acquireAfterPause],
                [.sendRequestHead, .sendHeldBody, .sendRequestEnd], [.blameEndpoint, .closeUpstream, .acquireAfterPause],
                [.sendRequestHead, .sendHeldBody, .sendRequestEnd], [.dropHeldBody, .writeResponseHead],
            ])
    }

    @Test("a request for which there was no connection is tried again, whatever it is; one that was sent and is not repeatable is not")
    func retriedUnsent() {
        var exchange = Self.exchange(isRepeatable: false, retries: 2)
        let reactions = run(
            &exchange,
            [
                .requestEnd, .forward, .upstreamUnavailable(.connectFailed, mayRetry: true), .upstreamReady(reused: false),
                .upstreamClosed(silent: true, mayRetry: true),
            ])
        #expect(reactions[2].actions == .acquireAfterPause)
        #expect(reactions[4].failure == .upstreamClosed)
    }

    @Test("after a switch of protocols both sides stream until they end, and neither connection is used again")
    func tunnel() {
        var exchange = Self.exchange(isRepeatable: true)
        let reactions = run(
            &exchange,
            [
                .requestEnd, .forward, .upstreamReady(reused: true), .responseSwitch, .requestBody(fits: true), .responseBody,
                .clientHalfClosed, .responseBody, .responseEnd(isReusable: false),
            ])
        #expect(
            reactions[3...].map(\.actions) == [
                .writeSwitch, .sendRequestBody, .writeResponseBody, .sendRequestEnd, .writeResponseBody,
                [.writeResponseEnd, .closeUpstream, .finishClosingClient],
            ])
    }

    @Test("a stored response is given as fast as the client takes it, and the client is kept")
    func replayed() {
        var exchange = Self.exchange(isRepeatable: true)
        let reactions = run(
            &exchange,
            [
                .requestEnd, .replay, .responseBody, .clientWritable(false), .clientWritable(true), .responseBody,
                .responseEnd(isReusable: false),
            ])
        #expect(
            reactions[1...].map(\.actions) == [
                .writeResponseHead, .writeResponseBody, .pauseUpstream, .resumeUpstream, .writeResponseBody,
                [.writeResponseEnd, .finishKeepingClient],
            ])
        var unread = Exchange(keepsClient: true, clientWritable: false)
        #expect(run(&unread, [.requestEnd, .replay])[1].actions == [.writeResponseHead, .pauseUpstream])
    }

    @Test("a body that is too long to keep ends all repeating")
    func tooLongToKeep() {
        var exchange = Self.exchange(isRepeatable: true, retries: 2)
        let reactions = run(
            &exchange,
            [
                .forward, .upstreamReady(reused: true), .requestBody(fits: true), .requestBody(fits: false), .requestBody(fits: true),
                .upstreamClosed(silent: true, mayRetry: true),
            ])
        #expect(reactions[3].actions == [.sendRequestBody, .dropHeldBody])
        #expect(reactions[4].actions == .sendRequestBody)
        #expect(reactions[5].failure == .upstreamClosed)
    }
}
