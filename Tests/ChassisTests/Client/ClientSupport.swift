import Chassis
import Commerce
import Foundation
import HTTPTypes
import Synchronization

/// A clock that jumps ahead by every sleep, and remembers how long they were.
final class JumpingClock: Sendable {
    private struct State {
        var elapsed: Duration = .zero
        var sleeps: [Duration] = []
    }

    private let state = Mutex(State())

    var time: TimeSource {
        TimeSource(
            now: { StoppedClock.start + self.state.withLock { $0.elapsed } },
            monotonic: { self.state.withLock { $0.elapsed } },
            sleep: { duration in
                try Task.checkCancellation()
                self.state.withLock { state in
                    state.elapsed += duration
                    state.sleeps.append(duration)
                }
            })
    }

    var elapsed: Duration { state.withLock { $0.elapsed } }
    var sleeps: [Duration] { state.withLock { $0.sleeps } }

    func advance(by duration: Duration) { state.withLock { $0.elapsed += duration } }
}

/// A service that answers as told, one answer after another; the last one for ever.
final class ScriptedService: Sendable {
    enum Answer: Sendable {
        case status(Int, body: String = "{}", headers: HTTPFields = [:])
        case failure(TransportError)
        /// Runs into the time limit that the client gave.
        case silence
    }

    private struct State {
        var answers: [Answer]
        var requests: [(request: OutboundRequest, timeout: Duration)] = []
    }

    private let clock: JumpingClock
    private let state: Mutex<State>

    init(_ clock: JumpingClock, _ answers: Answer...) {
        self.clock = clock
        self.state = Mutex(State(answers: answers))
    }

    var requests: [OutboundRequest] { state.withLock { $0.requests.map(\.request) } }
    var timeouts: [Duration] { state.withLock { $0.requests.map(\.timeout) } }

    func answer(_ answers: Answer...) { state.withLock { $0.answers = answers } }

    var transport: HTTPTransport {
        HTTPTransport { request, timeout throws(TransportError) in
            let answer = self.state.withLock { state in
                state.requests.append((request, timeout))
                return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
            }
            switch answer {
            case .status(let code, let body, let headers):
                return InboundResponse(status: .init(code: code), headers: headers, body: Data(body.utf8))
            case .failure(let error): throw error
            case .silence:
                self.clock.advance(by: timeout)
                throw .timedOut
            }
        }
    }
}
