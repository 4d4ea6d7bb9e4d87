import Synchronization

@testable import HTTPProxy

/// Knows of names what a test tells it, and remembers what it was asked.
final class ScriptedResolver: Sendable {
    typealias Answer = Result<[String], NameResolverError>

    private struct State {
        var answers: [String: Answer] = [:]
        var asked: [String] = []
        /// Who waits for the answer for a name that has none.
        var waiting: [(name: String, answer: @Sendable (Answer) -> Void)] = []
    }

    private let state = Mutex(State())

    init(_ answers: [String: [String]] = [:]) {
        for (name, addresses) in answers { self[name] = .success(addresses) }
    }

    /// Nil: whoever asks has to wait.
    subscript(name: String) -> Answer? {
        get { state.withLock { $0.answers[name] } }
        set {
            let waiting = state.withLock { state in
                state.answers[name] = newValue
                guard newValue != nil else { return [] as [@Sendable (Answer) -> Void] }
                defer { state.waiting.removeAll { $0.name == name } }
                return state.waiting.filter { $0.name == name }.map(\.answer)
            }
            if let newValue { for answer in waiting { answer(newValue) } }
        }
    }

    /// The names that were asked for, in order.
    var asked: [String] { state.withLock { $0.asked } }

    var resolver: NameResolver {
        NameResolver { name, answer in
            let known = self.state.withLock { state in
                state.asked.append(name)
                if state.answers[name] == nil { state.waiting.append((name, answer)) }
                return state.answers[name]
            }
            if let known { answer(known) }
        }
    }
}
