import Chassis
import Commerce
import HTTPProxy
import Synchronization

/// The gateway as it runs: what the data plane tells of itself, for whoever asks the control plane.
final class RunningGateway: Sendable {
    /// What was read last with success, and is in force.
    struct Loaded: Sendable {
        let configuration: GatewayConfiguration
        let at: Timestamp
        /// How often a configuration came into force since the start, this one included.
        let count: Int
    }

    /// Why the file as it is now is not in force.
    struct Failure: Sendable {
        let sentence: String
        let at: Timestamp
    }

    private struct State {
        var proxy: ProxyServer?
        var loaded: Loaded?
        var failure: Failure?
    }

    private let state = Mutex(State())
    private let time: TimeSource
    /// Yields when a configuration comes into force in which a route asks for tokens. For one listener.
    let asksForTokens: AsyncStream<Void>
    private let tokensAreAskedFor: AsyncStream<Void>.Continuation

    init(time: TimeSource) {
        self.time = time
        (asksForTokens, tokensAreAskedFor) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var loaded: Loaded? { state.withLock { $0.loaded } }
    /// Nil as long as the last attempt to read the file went well.
    var failure: Failure? { state.withLock { $0.failure } }

    /// Nil before the data plane listens and after it has drained.
    func status() async -> ProxyStatus? {
        try? await state.withLock(\.proxy)?.status()
    }

    func begin(_ proxy: ProxyServer, with configuration: GatewayConfiguration) {
        state.withLock { $0.proxy = proxy }
        adopt(configuration)
    }

    func adopt(_ configuration: GatewayConfiguration) {
        let now = time.now
        state.withLock { state in
            state.loaded = Loaded(configuration: configuration, at: now, count: (state.loaded?.count ?? 0) + 1)
            state.failure = nil
        }
        if configuration.routes.contains(where: { $0.authentication != .none }) { tokensAreAskedFor.yield() }
    }

    func reject(_ error: any Error) {
        let failure = Failure(sentence: "\(error)", at: time.now)
        state.withLock { $0.failure = failure }
    }
}
