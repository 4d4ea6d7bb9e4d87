import ArgumentParser
import Simulation

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Runs a whole shop with all its bad luck in one thread, from a seed.",
        discussion: "The same seed gives the same run. A seed that breaks a promise is shortened to the fewest steps that show it.")

    @Option(help: "The seed, or the first of several.")
    var seed: UInt64 = 1

    @Option(help: "How many seeds.")
    var seeds: UInt64 = 1

    @Option(help: "Steps before the faults stop.")
    var steps = 60

    @Flag(help: "Print what happens, line by line, also when all is well.")
    var trace = false

    func validate() throws {
        guard steps >= 1, seeds >= 1 else { throw ValidationError("--steps and --seeds must be at least 1.") }
        guard !seed.addingReportingOverflow(seeds).overflow else { throw ValidationError("There are no seeds beyond \(UInt64.max).") }
    }

    func run() throws {
        var struck: [FaultPoint: Int] = [:]
        var orders = 0
        for seed in seed..<(seed + seeds) {
            let result = Simulation.run(seed: seed, steps: steps)
            struck.merge(result.struck, uniquingKeysWith: +)
            orders += result.acceptedOrders
            if trace { Console.print(result.trace.joined(separator: "\n")) }
            guard let failure = result.failure else { continue }
            try report(failure, of: seed)
        }
        Console.print("\(seeds) simulated \(seeds == 1 ? "shop" : "shops"), \(orders) orders accepted, every promise kept.")
        for point in FaultPoint.allCases { Console.print("  \(struck[point] ?? 0)\t\(point.rawValue)") }
        let never = FaultPoint.allCases.filter { struck[$0] == nil }
        guard seeds < Self.manySeeds || never.isEmpty else {
            Console.print(
                "In so many shops everything should have gone wrong once, but these never did: \(never.map(\.rawValue).joined(separator: ", "))."
            )
            throw ExitCode(1)
        }
    }

    /// From so many on, a fault point that never struck is broken and not merely rare.
    private static let manySeeds: UInt64 = 200

    private func report(_ failure: Simulation.Failure, of seed: UInt64) throws {
        let shortest = Shortening.of(failure, seed: seed, steps: steps)
        if !trace { Console.print(shortest.result.trace.joined(separator: "\n")) }
        Console.print("")
        Console.print("Seed \(seed) breaks a promise after \(shortest.steps) steps:")
        Console.print(shortest.result.failure?.description ?? failure.description)
        Console.print("")
        Console.print("Again: souk simulate --seed \(seed) --steps \(shortest.steps) --trace")
        throw ExitCode(1)
    }
}
