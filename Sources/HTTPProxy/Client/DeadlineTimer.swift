import NIOCore

/// One timer for all the deadlines of a connection, moved for nothing.
///
/// A deadline changes with every request, but is almost never reached. So the task that is scheduled is left alone when the deadline
/// moves away: when it fires it looks at the deadline as it is then, and goes back to sleep if that lies ahead. Only a deadline that
/// comes closer than the task costs scheduling. A connection with a thousand requests a second reschedules a few times a minute.
///
/// It holds on to whoever set it, until `stop`: a weak reference would make every retain and release of a connection take Swift's slow path.
final class DeadlineTimer {
    private let life = Life(.timer)
    private let eventLoop: any EventLoop
    private var deadline: NIODeadline?
    private var scheduledFor: NIODeadline?
    private var task: Scheduled<Void>?
    private var expired: (() -> Void)?

    /// - Parameter expired: called once for each deadline that passes, on the event loop.
    init(eventLoop: any EventLoop, expired: @escaping () -> Void) {
        self.eventLoop = eventLoop
        self.expired = expired
    }

    /// Sets the deadline in place of the last one; nil: none.
    func set(_ deadline: NIODeadline?) {
        self.deadline = deadline
        guard let deadline, expired != nil else { return }
        if let scheduledFor, scheduledFor <= deadline { return }
        task?.cancel()
        schedule(deadline)
    }

    /// Ends the timer for good.
    func stop() {
        task?.cancel()
        task = nil
        expired = nil
    }

    private func schedule(_ when: NIODeadline) {
        scheduledFor = when
        task = eventLoop.assumeIsolated().scheduleTask(deadline: when) { self.fire() }
    }

    private func fire() {
        scheduledFor = nil
        task = nil
        guard let deadline else { return }
        if deadline <= .now() {
            self.deadline = nil
            expired?()
        } else {
            schedule(deadline)
        }
    }
}
