import NIOCore
import NIOPosix
import Synchronization

// Who is alive. Every object of the data plane that comes and goes with traffic holds a `Life` of its kind, from its first moment to its last. In debug
// builds each event loop's are counted, so that a test can say that after a hundred thousand requests there are as many as before; in release builds a
// `Life` is nothing: it takes no room, and making and ending it does nothing.

/// The time in which one object is alive.
struct Life: ~Copyable {
    enum Kind: CaseIterable, Sendable {
        case clientConnection, stream, exchange, upstreamConnection, timer
    }

    #if DEBUG
        private let kind: Kind
        private let home: ObjectIdentifier?

        /// - Parameter kind: what the object is. It counts for the event loop that is running, where such objects are made; elsewhere it does not.
        init(_ kind: Kind) {
            self.kind = kind
            home = MultiThreadedEventLoopGroup.currentEventLoop.map { ObjectIdentifier($0) }
            if let home { Census.add(1, kind, home) }
        }

        deinit {
            if let home { Census.add(-1, kind, home) }
        }
    #else
        init(_ kind: Kind) {}
    #endif
}

#if DEBUG
    enum Census {
        private static let counts = Mutex<[ObjectIdentifier: [Life.Kind: Int]]>([:])

        /// How many of each kind are alive on these event loops; what there is none of is left out.
        static func alive(on eventLoops: [any EventLoop]) -> [Life.Kind: Int] {
            counts.withLock { counts in
                eventLoops.reduce(into: [:]) { sum, loop in sum.merge(counts[ObjectIdentifier(loop)] ?? [:], uniquingKeysWith: +) }
            }
        }

        fileprivate static func add(_ change: Int, _ kind: Life.Kind, _ home: ObjectIdentifier) {
            counts.withLock { counts in
                let count = (counts[home]?[kind] ?? 0) + change
                // An event loop on which nobody is left may be gone, and another one be in its place.
                counts[home, default: [:]][kind] = count == 0 ? nil : count
                if counts[home]?.isEmpty == true { counts[home] = nil }
            }
        }
    }
#endif
