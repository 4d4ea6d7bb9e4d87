import Testing

@testable import HTTPProxy

/// Gateways and a server in a time of their own: everything that may happen between them, by a seed.
@Suite("A limit that several gateways hold together, in the model")
struct SharedLimitModelTests {
    private static let millisecond: Int64 = 1_000_000

    /// A gateway that lets one caller's requests through, or not.
    private final class Gateway {
        let table = ArrivalTable(capacity: 512)
        var outbox: TakingsOutbox
        let caller = SharedCaller(limit: "all/few", caller: "name ann")
        /// What it waits for: the answer, and when it is there.
        var answer: (leads: [Int64], at: Int64)?
        var asksAt: Int64
        var lastFill: Int64
        var longestPause: Int64 = 0

        init(_ number: Int, now: Int64) {
            table.noteTakings(capacity: 512)
            outbox = TakingsOutbox(table, secret: "secret", sender: "\(number)", now: now)
            asksAt = now
            lastFill = now
        }

        func request(_ rate: CellRate, now: Int64) -> Bool {
            table.take(rate, of: 7, now: now) { caller }.isGranted
        }

        /// Asks the server; the answer will have gone its way, or is lost.
        func ask(_ server: inout ModelServer, now: Int64, way: Int64, isLost: Bool) throws {
            longestPause = max(longestPause, now - lastFill)
            lastFill = now
            _ = outbox.fill(now: now)
            guard let question = outbox.question(now: now) else { return }
            let leads = server.answer(question, now: now + way / 2)
            if !isLost { answer = (leads, now + way) }
        }

        func learn(now: Int64) throws {
            guard let answer, answer.at <= now else { return }
            self.answer = nil
            try outbox.learn(answer.leads, now: now)
        }
    }

    private struct Run {
        var granted: [Int64] = []
        var longestPause: Int64 = 0
    }

    /// - Parameters:
    ///   - demand: how probable a request is at each gateway in each millisecond.
    ///   - isAway: whether the server can be reached at a time.
    private func run(
        gateways count: Int, _ rate: CellRate, milliseconds: Int, interval: Int64, longestWay: Int64, lossPercent: Int, demand: Double,
        seed: UInt64,
        isAway: (Int64) -> Bool = { _ in false }
    ) throws -> Run {
        var random = SeededRandom(seed)
        let start: Int64 = 1_000 * Self.millisecond
        var server = ModelServer()
        let gateways = (0..<count).map { Gateway($0, now: start) }
        for gateway in gateways { gateway.asksAt += Int64.random(in: 0..<interval, using: &random) }
        var run = Run()
        for step in 0..<Int64(milliseconds) {
            let now = start + step * Self.millisecond
            for gateway in gateways.shuffled(using: &random) {
                try gateway.learn(now: now)
                while Double.random(in: 0..<1, using: &random) < demand {
                    if gateway.request(rate, now: now) { run.granted.append(now) }
                }
                guard gateway.asksAt <= now, gateway.answer == nil else { continue }
                gateway.asksAt = now + interval
                let way = Int64.random(in: 0...longestWay, using: &random)
                let isLost = Int.random(in: 0..<100, using: &random) < lossPercent
                if !isAway(now) { try gateway.ask(&server, now: now, way: way, isLost: isLost) }
                try gateway.learn(now: now)
            }
        }
        run.longestPause = gateways.map(\.longestPause).max() ?? 0
        return run
    }

    /// Whether within any time no more was let through than `burst + rate · t`, by the algorithm itself.
    private func holds(_ times: [Int64], interval: Int64, burst: Int64) -> Bool {
        let rate = CellRate(quota: 1, windowNanoseconds: interval, burst: Int(burst))
        var arrival: Int64 = 0
        return times.allSatisfy { rate.take(&arrival, now: $0).isGranted }
    }

    @Test("within any time it lets through no more than the promise says, whatever the ways, the demand and the losses", arguments: 0..<60)
    func bound(seed: Int) throws {
        var random = SeededRandom(UInt64(seed))
        let count = Int.random(in: 2...5, using: &random)
        let rate = CellRate(
            quota: 1, windowNanoseconds: Int64.random(in: 1...200, using: &random) * Self.millisecond,
            burst: Int.random(in: 1...30, using: &random))
        let longestWay = Int64.random(in: 0...60, using: &random) * Self.millisecond
        let run = try run(
            gateways: count, rate, milliseconds: 6_000, interval: 100 * Self.millisecond, longestWay: longestWay,
            lossPercent: [0, 0, 20].randomElement(using: &random) ?? 0, demand: Double.random(in: 0.05...0.8, using: &random),
            seed: UInt64(seed))
        // Until it is told, until it is asked for, and the ways; a millisecond is a step.
        let delay = 2 * run.longestPause + 2 * longestWay + 2 * Self.millisecond
        let each = rate.burst + delay / rate.interval + 1
        #expect(run.granted.count > 0)
        #expect(holds(run.granted, interval: rate.interval, burst: rate.burst + Int64(count - 1) * each))
    }

    @Test("whoever asks all the time everywhere gets the rate of one limit in the long run, not less and not several", arguments: 1...5)
    func longRun(count: Int) throws {
        let rate = CellRate(quota: 50, windowNanoseconds: 1_000 * Self.millisecond, burst: 20)
        let run = try run(
            gateways: count, rate, milliseconds: 30_000, interval: 100 * Self.millisecond, longestWay: 4 * Self.millisecond, lossPercent: 0,
            demand: 0.5, seed: 3)
        let whole = 20 + 50 * 30
        #expect(run.granted.count >= whole * 95 / 100)
        #expect(run.granted.count <= whole + (count - 1) * (20 + 50 * 210 / 1_000))
    }

    @Test("one gateway alone decides with a server near by as it would without any", arguments: 0..<20)
    func alone(seed: UInt64) throws {
        let rate = CellRate(quota: 100, windowNanoseconds: 1_000 * Self.millisecond, burst: 1 + Int(seed))
        func run(isAway: Bool) throws -> [Int64] {
            try self.run(
                gateways: 1, rate, milliseconds: 3_000, interval: 100 * Self.millisecond, longestWay: 0, lossPercent: 0, demand: 0.3,
                seed: seed,
                isAway: { _ in isAway }
            ).granted
        }
        let (shared, alone) = (try run(isAway: false), try run(isAway: true))
        #expect(shared.count > 100 && shared == alone)
    }

    @Test("without the server each limits by itself; once it is back an hour of that is not held against anybody")
    func away() throws {
        let rate = CellRate(quota: 2, windowNanoseconds: 1_000 * Self.millisecond, burst: 4)
        let (start, away) = (1_000 * Self.millisecond, 60_000 * Self.millisecond)
        let run = try run(
            gateways: 3, rate, milliseconds: 90_000, interval: 100 * Self.millisecond, longestWay: 0, lossPercent: 0, demand: 0.2, seed: 5,
            isAway: { $0 - start > 10_000 * Self.millisecond && $0 - start < 10_000 * Self.millisecond + away })
        func count(_ from: Int64, _ to: Int64) -> Int {
            run.granted.count { $0 - start >= from * Self.millisecond && $0 - start < to * Self.millisecond }
        }
        #expect(count(0, 10_000) <= 4 + 20 + 2 * (4 + 1))
        #expect((3 * 2 * 59...3 * (2 * 60 + 4)).contains(count(10_000, 70_000)))
        // The bursts of three are waited for, six seconds at most; then the rate is that of one.
        #expect((20...30).contains(count(78_000, 90_000)))
    }

    @Test("a server that forgets gives nobody a new burst")
    func forgetful() throws {
        let rate = CellRate(quota: 1, windowNanoseconds: 3_600_000 * Self.millisecond, burst: 5)
        var server = ModelServer()
        let now = 1_000 * Self.millisecond
        let gateways = (0..<2).map { Gateway($0, now: now) }
        #expect((0..<9).count { _ in gateways[0].request(rate, now: now) } == 5)
        for gateway in gateways {
            // The second learns with its first request.
            _ = gateway.request(rate, now: now)
            try gateway.ask(&server, now: now, way: 0, isLost: false)
            try gateway.learn(now: now)
        }
        server.forget()
        for gateway in gateways {
            #expect(!gateway.request(rate, now: now + 1))
            try gateway.ask(&server, now: now + 1, way: 0, isLost: false)
            #expect(!gateway.request(rate, now: now + 2))
        }
    }

    @Test("news whose answer was lost count once")
    func once() throws {
        let rate = CellRate(quota: 1, windowNanoseconds: 1_000 * Self.millisecond, burst: 10)
        var server = ModelServer()
        let now = 1_000 * Self.millisecond
        let gateway = Gateway(0, now: now)
        for _ in 0..<3 { #expect(gateway.request(rate, now: now)) }
        for _ in 0..<4 { try gateway.ask(&server, now: now, way: 0, isLost: true) }
        try gateway.ask(&server, now: now, way: 0, isLost: false)
        try gateway.learn(now: now)
        #expect((0..<10).count { _ in gateway.request(rate, now: now) } == 7)
    }
}
