import Synchronization

/// Whether a service can take work: all its checks pass and it is not draining.
public final class Health: Sendable {
    /// Something that must work for the service to be of use, for example its database.
    public struct Check: Sendable {
        public let name: String
        let run: @Sendable () async throws -> Void

        public init(_ name: String, _ run: @escaping @Sendable () async throws -> Void) {
            self.name = name
            self.run = run
        }
    }

    private let checks: [Check]
    private let draining = Mutex(false)

    public init(checks: [Check]) {
        self.checks = checks
    }

    /// From now on the service is not ready: it finishes what it has and takes nothing new.
    public func startDraining() {
        draining.withLock { $0 = true }
    }

    public var isDraining: Bool { draining.withLock { $0 } }

    /// Something that does not work.
    struct Failure: Sendable {
        let name: String
        /// Why, and what to do, for the person who runs the service.
        let reason: String
    }

    /// What does not work; empty when the service is ready.
    func failures() async -> [Failure] {
        var failures = isDraining ? [Failure(name: "draining", reason: "the service is stopping")] : []
        for check in checks {
            do {
                try await check.run()
            } catch {
                failures.append(Failure(name: check.name, reason: "\(error)"))
            }
        }
        return failures
    }
}
