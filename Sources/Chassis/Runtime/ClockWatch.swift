import Commerce
import Logging
import ServiceLifecycle
import Synchronization

/// Notices that the wall clock was set: it has then moved by another distance than the monotonic one.
///
/// What is measured within a process is measured by the monotonic clock. A moment that is stored is one of the wall clock, for it must mean the
/// same after a restart and on another machine; whoever waits for such a moment asks here whether the clock that wrote it still goes.
public final class ClockWatch: Sendable {
    private let time: TimeSource
    private let last: Mutex<(wall: Timestamp, monotonic: Duration)>

    public init(_ time: TimeSource) {
        self.time = time
        last = Mutex((time.now, time.monotonic))
    }

    /// By how much the wall clock was set since this was asked last: below zero when it was set back. A clock that is brought right little by
    /// little gives little.
    public func jump() -> Duration {
        let (wall, monotonic) = (time.now, time.monotonic)
        return last.withLock { last in
            defer { last = (wall, monotonic) }
            return (wall - last.wall) - (monotonic - last.monotonic)
        }
    }
}

/// Says in the log when the wall clock was set.
struct ClockReport: ServiceLifecycle.Service {
    private static let interval: Duration = .seconds(5)
    /// What a clock is brought right by little by little is no news.
    private static let leastJump: Duration = .seconds(1)

    let time: TimeSource
    let logger: Logger

    func run() async throws {
        let watch = ClockWatch(time)
        try? await cancelWhenGracefulShutdown {
            while true {
                try await time.sleep(for: Self.interval)
                let jump = watch.jump()
                guard jump > Self.leastJump || jump < .zero - Self.leastJump else { continue }
                logger.warning(
                    "the wall clock was set \(jump < .zero ? "back" : "forward")", metadata: ["milliseconds": "\(jump.wholeMilliseconds)"])
            }
        }
    }
}
