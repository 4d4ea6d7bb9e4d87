import Foundation
import Simulation
import Synchronization
import Testing

@Suite("A simulated shop")
struct SimulationTests {
    /// `SOUK_SIMULATION_SEEDS=10000` for the night.
    private static let seeds = ProcessInfo.processInfo.environment["SOUK_SIMULATION_SEEDS"].flatMap(UInt64.init) ?? 500
    private static let steps = 60

    @Test("keeps every promise whatever happens, and everything that can happen does", .timeLimit(.minutes(120)))
    func promises() async {
        var struck: [FaultPoint: Int] = [:]
        await withTaskGroup(of: [FaultPoint: Int].self) { group in
            let next = SeedCounter(last: Self.seeds)
            // One processor is left to the other tests.
            for _ in 0..<max(1, ProcessInfo.processInfo.activeProcessorCount - 1) {
                group.addTask {
                    var struck: [FaultPoint: Int] = [:]
                    while let seed = next.take() {
                        let result = await onThreadOfItsOwn { Simulation.run(seed: seed, steps: Self.steps) }
                        struck.merge(result.struck, uniquingKeysWith: +)
                        if let failure = result.failure {
                            next.stop()
                            await Self.report(failure, of: seed)
                        }
                    }
                    return struck
                }
            }
            for await other in group { struck.merge(other, uniquingKeysWith: +) }
        }
        for point in FaultPoint.allCases { #expect(struck[point, default: 0] > 0, "\(point.rawValue) never happened") }
    }

    private static func report(_ failure: Simulation.Failure, of seed: UInt64) async {
        let shortest = await onThreadOfItsOwn { Shortening.of(failure, seed: seed, steps: Self.steps) }
        Issue.record(
            """
            seed \(seed) breaks a promise after \(shortest.steps) steps: \(shortest.result.failure?.description ?? failure.description)
            \(shortest.result.trace.suffix(40).joined(separator: "\n"))
            Again: souk simulate --seed \(seed) --steps \(shortest.steps) --trace
            """)
    }

    @Test("is the same shop for the same seed, byte for byte", arguments: [1, 77, 4242] as [UInt64])
    func determinism(seed: UInt64) async {
        let first = await onThreadOfItsOwn { Simulation.run(seed: seed, steps: Self.steps) }
        let second = await onThreadOfItsOwn { Simulation.run(seed: seed, steps: Self.steps) }
        let difference = zip(first.trace, second.trace).first { $0 != $1 }
        #expect(difference == nil && first.trace.count == second.trace.count)
        #expect(first.trace.count > Self.steps)
    }

    @Test("does the same for as long as it runs: a shorter run is the beginning of a longer one")
    func prefix() async throws {
        let short = await onThreadOfItsOwn { Simulation.run(seed: 5, steps: 20) }
        let long = await onThreadOfItsOwn { Simulation.run(seed: 5, steps: 40) }
        let end = try #require(short.trace.firstIndex { $0.hasSuffix("no more faults") })
        #expect(short.trace[..<end] == long.trace[..<end])
    }
}

/// Hands out seeds to several takers.
private final class SeedCounter: Sendable {
    private let next = Mutex<UInt64?>(1)
    private let last: UInt64

    init(last: UInt64) { self.last = last }

    func take() -> UInt64? {
        next.withLock { next in
            guard let seed = next, seed <= last else { return nil }
            next = seed + 1
            return seed
        }
    }

    func stop() { next.withLock { $0 = nil } }
}

/// A simulation blocks its thread until it ends; the other tests need theirs.
func onThreadOfItsOwn<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        let thread = Thread { continuation.resume(returning: body()) }
        thread.stackSize = 8 << 20
        thread.start()
    }
}
