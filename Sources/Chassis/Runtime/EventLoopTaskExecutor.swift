import NIOCore

// Where a service's tasks run: on the event loop that holds its connections.
//
// A request arrives on the event loop. Were its task to run on Swift's own pool, the request would change threads four times before its
// response leaves, and each change is a wake-up by the kernel, which costs more than most handlers. On the loop it changes only where it
// must: to a database's thread and back.
//
// What it asks of the code: nothing may block or compute for long in a task, since that would hold up every other request. That is so
// anyway: SQL, password hashing and SMTP have threads of their own.

/// Runs tasks on an event loop (SE-0417).
final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
