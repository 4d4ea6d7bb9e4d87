/// The fewest steps of a seed that show that something is broken.
///
/// A promise that is found broken after a step is found by every run that is as long. One that shows only when all should be settled
/// may need fewer steps than were taken: these are tried one after another.
public struct Shortening: Sendable {
    public let steps: Int
    public let result: Simulation.Result

    public static func of(_ failure: Simulation.Failure, seed: UInt64, steps: Int) -> Shortening {
        if let step = failure.step { return Shortening(steps: step, result: Simulation.run(seed: seed, steps: step)) }
        for fewer in 1...max(1, steps) {
            let result = Simulation.run(seed: seed, steps: fewer)
            if result.failure != nil { return Shortening(steps: fewer, result: result) }
        }
        return Shortening(steps: steps, result: Simulation.run(seed: seed, steps: steps))
    }
}
