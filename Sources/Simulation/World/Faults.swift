import Chassis
import Synchronization

/// A place where a simulation may let something go wrong.
public enum FaultPoint: String, Sendable, CaseIterable {
    /// A request is sent and never arrives; its sender waits until it gives up.
    case requestLost = "request lost"
    /// A request is carried out, and its answer never arrives.
    case replyLost = "reply lost"
    /// A request arrives twice.
    case requestRepeated = "request repeated"
    /// A request is under way for long, so that later ones overtake it.
    case requestDelayed = "request delayed"
    /// A producer dies before, or after, its feed has answered.
    case crashBeforePublishing = "crash before publishing"
    case crashAfterPublishing = "crash after publishing"
    /// A batch of events comes with old ones among them, in another order.
    case eventsRepeated = "events repeated and reordered"
    /// A consumer dies with events read and not applied.
    case crashBeforeApplying = "crash before applying events"
    /// A process dies with a transaction done but not committed; or committed, and nobody was told.
    case crashBeforeCommit = "crash before a commit"
    case crashAfterCommit = "crash after a commit"
    /// The payment provider is away; or it acts, and its answer is lost; or it answers too late.
    case providerAway = "provider away"
    case providerAnswerLost = "provider's answer lost"
    case providerSlow = "provider slow"
    /// payment-service dies just before, or just after, the provider has acted.
    case crashBeforeProvider = "crash before the provider acts"
    case crashAfterProvider = "crash after the provider acted"
    /// A process dies at any moment and is started again soon; or stays away for minutes.
    case crash = "crash"
    case absence = "long absence"
    /// A machine's wall clock is set forward or back.
    case clockJump = "clock jump"

    /// How often it strikes where it can, at most.
    var highestChance: Double {
        switch self {
        case .requestLost, .replyLost, .requestRepeated, .requestDelayed: 0.05
        case .eventsRepeated: 0.2
        case .crashBeforePublishing, .crashAfterPublishing, .crashBeforeApplying: 0.01
        case .crashBeforeCommit, .crashAfterCommit: 0.004
        case .providerAway, .providerAnswerLost, .providerSlow: 0.15
        case .crashBeforeProvider, .crashAfterProvider: 0.04
        // Drawn once a step.
        case .crash: 0.05
        case .absence: 0.02
        case .clockJump: 0.03
        }
    }
}

/// Decides where faults strike, and counts them.
///
/// Each seed has faults of its own: of all points it takes about half, each with a chance of its own, so that seeds with a single kind of trouble
/// occur as well as those with all of them (swarm testing; Groce et al., ISSTA 2012).
final class Faults: Sendable {
    private struct State {
        var isOn = true
        var struck: [FaultPoint: Int] = [:]
    }

    private let generator: SeededGenerator
    private let chances: [FaultPoint: Double]
    private let state = Mutex(State())

    init(_ generator: SeededGenerator) {
        self.generator = generator
        var chances: [FaultPoint: Double] = [:]
        for point in FaultPoint.allCases {
            let isTaken = generator.chance(0.5)
            chances[point] = isTaken ? point.highestChance * generator.randomness.fraction() : 0
        }
        self.chances = chances
    }

    func strikes(_ point: FaultPoint) -> Bool {
        // Drawn in any case, so that the end of all faults changes nothing before it.
        guard generator.chance(chances[point] ?? 0) else { return false }
        return state.withLock { state in
            guard state.isOn else { return false }
            state.struck[point, default: 0] += 1
            return true
        }
    }

    /// From now on everything works.
    func stop() {
        state.withLock { $0.isOn = false }
    }

    func resume() {
        state.withLock { $0.isOn = true }
    }

    var struck: [FaultPoint: Int] { state.withLock(\.struck) }
}
