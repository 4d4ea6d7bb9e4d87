public import Contracts
public import ServiceLifecycle

/// A whole service as one value: what it answers, what runs beside, what must work for it to be ready.
///
/// A composition root builds it from top to bottom; `ServiceHost` runs it.
public struct Service: Sendable {
    /// Where to listen.
    public struct Address: Sendable, Hashable {
        public let host: String
        /// 0 picks a free port.
        public let port: Int

        public init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    public let name: ServiceName
    public let authenticator: Authenticator
    /// Where the routes are served; nil for the address of the settings. The gateway's own routes are behind its data plane.
    public var address: Address?
    public private(set) var routes: [Route] = []
    public private(set) var background: [any ServiceLifecycle.Service] = []
    public private(set) var front: [any ServiceLifecycle.Service] = []
    public private(set) var checks: [Health.Check] = []
    public private(set) var closing: [@Sendable () async -> Void] = []
    public private(set) var sampling: [@Sendable () async -> Void] = []
    public private(set) var listening: [@Sendable (_ port: Int) -> Void] = []

    public init(_ name: ServiceName, authenticator: Authenticator) {
        self.name = name
        self.authenticator = authenticator
    }

    public mutating func add(_ controllers: any Controller...) {
        for controller in controllers { routes += controller.routes }
    }

    /// Work beside the routes: consumers and jobs. It ends after the last request, before anything is closed.
    public mutating func run(_ work: any ServiceLifecycle.Service) {
        background.append(work)
    }

    /// Work before the routes, which brings them requests: it ends before they do.
    public mutating func runInFront(_ work: any ServiceLifecycle.Service) {
        front.append(work)
    }

    /// What is done when somebody asks for the metrics, before they are shown: for what is looked up, not counted.
    public mutating func beforeMetrics(_ sample: @escaping @Sendable () async -> Void) {
        sampling.append(sample)
    }

    public mutating func requires(_ name: String, _ check: @escaping @Sendable () async throws -> Void) {
        checks.append(Health.Check(name, check))
    }

    /// What is done once, when the routes can be reached at `port`.
    public mutating func whenListening(_ action: @escaping @Sendable (_ port: Int) -> Void) {
        listening.append(action)
    }

    /// What is done last, for example closing the database.
    public mutating func atEnd(_ close: @escaping @Sendable () async -> Void) {
        closing.append(close)
    }
}
