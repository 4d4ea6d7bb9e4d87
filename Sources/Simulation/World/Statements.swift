import ChassisStorage
import Contracts
import Synchronization

/// The statements that services have run, each text once, with the values of its first time.
final class Statements: Sendable {
    private let known = Mutex<[ServiceName: [String: SQL]]>([:])

    func note(_ statement: SQL, of service: ServiceName) {
        known.withLock { $0[service, default: [:]][statement.description, default: statement] = statement }
    }

    /// Those of a service, in the order of their texts.
    func of(_ service: ServiceName) -> [SQL] {
        known.withLock { $0[service] ?? [:] }.sorted { $0.key < $1.key }.map(\.value)
    }
}
