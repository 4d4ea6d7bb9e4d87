import ChassisTesting
import Commerce
import Logging
import Synchronization
import Testing

@testable import Chassis

@Suite("A wall clock that is set", .timeLimit(.minutes(1)))
struct ClockReportTests {
    /// Clocks that run while somebody sleeps, of which the wall clock is set once, in the third sleep.
    private final class SetClock: Sendable {
        private let state = Mutex((wall: Duration.zero, monotonic: Duration.zero, sleeps: 0))
        private let jump: Duration

        init(_ jump: Duration) { self.jump = jump }

        var sleeps: Int { state.withLock(\.sleeps) }

        var time: TimeSource {
            TimeSource(
                now: { Timestamp(millisecondsSinceEpoch: 1_800_000_000_000) + self.state.withLock(\.wall) },
                monotonic: { self.state.withLock(\.monotonic) },
                sleep: { duration in
                    try Task.checkCancellation()
                    self.state.withLock { state in
                        state.sleeps += 1
                        state.monotonic += duration
                        state.wall += duration + (state.sleeps == 3 ? self.jump : .zero)
                    }
                    await Task.yield()
                })
        }
    }

    @Test(
        "the log says once by how much and in which direction",
        arguments: [
            (Duration.seconds(-3_600), "the wall clock was set back milliseconds=-3600000"),
            (.seconds(86_400), "the wall clock was set forward milliseconds=86400000"),
        ])
    func said(jump: Duration, line: String) async throws {
        #expect(try await lines(after: jump) == [line])
    }

    @Test("nothing is said of what a clock is brought right by little by little")
    func slewed() async throws {
        #expect(try await lines(after: .milliseconds(-400)) == [])
    }

    private func lines(after jump: Duration) async throws -> [String] {
        let clock = SetClock(jump)
        let log = Mutex<[String]>([])
        let handler = ClockLog { line in log.withLock { $0.append(line) } }
        let report = ClockReport(time: clock.time, logger: Logger(label: "test") { _ in handler })
        let running = Task { try await report.run() }
        try await eventually("some time has passed") { clock.sleeps > 10 }
        running.cancel()
        try await running.value
        return log.withLock { $0 }
    }
}

private struct ClockLog: LogHandler {
    let write: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    init(write: @escaping @Sendable (String) -> Void) { self.write = write }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        write(([event.message.description] + (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }).joined(separator: " "))
    }
}
