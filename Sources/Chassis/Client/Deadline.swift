import Commerce
public import HTTPTypes

extension HTTPField.Name {
    /// How many milliseconds the caller still waits. A duration and not a moment: no two machines' clocks need to agree.
    public static let soukDeadline = HTTPField.Name("X-Souk-Deadline-Ms")!
}

/// The moment until which somebody waits for the result of what is being done now.
///
/// It is set where a request comes in, is inherited by every task that works for the request, and goes along with calls to other
/// services, shorter by a margin at each step, so that whoever is further in gives up first and its caller can still say so.
public struct Deadline: Sendable, Hashable {
    /// The most that a caller may ask for.
    public static let maximum: Duration = .seconds(60)

    /// What is kept back at each step for the way back.
    static let margin: Duration = .milliseconds(10)

    /// The deadline of the work that this task does; nil if nobody waits.
    @TaskLocal public static var current: Deadline?

    /// On the monotonic clock of the `TimeSource` that it was made with.
    private let moment: Duration

    public init(after duration: Duration, time: TimeSource) {
        moment = time.monotonic + duration
    }

    /// The deadline that a caller sent with `X-Souk-Deadline-Ms`, at most a minute from now; nil when there is none that can be read.
    public static func parse(header: String?, time: TimeSource) -> Deadline? {
        guard let header, header.utf8.count <= 18, header.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let milliseconds = Int64(header)
        else { return nil }
        return Deadline(after: min(.milliseconds(milliseconds), maximum), time: time)
    }

    /// How long is left; zero once it has passed.
    public func remaining(_ time: TimeSource) -> Duration { max(.zero, moment - time.monotonic) }

    public func hasPassed(_ time: TimeSource) -> Bool { remaining(time) == .zero }

    /// What to tell the next service when it has `timeout` to answer.
    static func headerValue(timeout: Duration) -> String {
        String(max(0, (timeout - margin).wholeMilliseconds))
    }
}
