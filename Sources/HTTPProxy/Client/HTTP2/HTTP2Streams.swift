import NIOCore
import NIOHTTP2

// The streams of one connection.
//
// SwiftNIO would give each a channel of its own, with a pipeline, futures and timers, for a single request: half of what a request costs. Here a stream is
// an object in a dictionary. `NIOHTTP2Handler` below still knows the protocol, keeps the windows for what is sent and refuses what is against the
// rules; what it hands up is shared out here: frames and the ends of streams to whom they belong. What it leaves to the one above it is to open the
// windows for what is received: the connection's at once, each stream's when its exchange has taken what has come.
//
// Deadlines are the streams', the timer is one for all: it goes off for the earliest, looks at them all, and goes to sleep until the next.

final class HTTP2Streams {
    private unowned let connection: HTTP2Connection
    private var streams: [HTTP2StreamID: HTTP2Stream] = [:]
    /// The last one that the client has begun.
    private(set) var last = HTTP2StreamID.rootStream
    private var window = ReceiveWindow()
    private var timer: DeadlineTimer?
    private var timerGoesOff = NIODeadline.distantFuture
    private var isOver = false

    init(of connection: HTTP2Connection) {
        self.connection = connection
    }

    var isEmpty: Bool { streams.isEmpty }

    func receive(_ frame: HTTP2Frame) {
        let id = frame.streamID
        if let stream = streams[id] {
            stream.receive(frame.payload)
        } else if case .headers = frame.payload, id > last {
            last = id
            let stream = HTTP2Stream(id, of: connection)
            streams[id] = stream
            connection.streamOpened()
            stream.receive(frame.payload)
        }
    }

    func ended(_ id: HTTP2StreamID) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.leave()
        if streams.isEmpty { connection.streamsEnded() }
    }

    /// The connection is gone, and all streams with it.
    func endAll() {
        isOver = true
        timer?.stop()
        let ended = streams.values
        streams = [:]
        for stream in ended { stream.leave() }
    }

    // MARK: Windows

    func windowChanged(_ id: HTTP2StreamID, to size: Int) {
        if id == .rootStream {
            window.change(to: size)
            if let increment = window.open(unused: 0) { connection.open(id, by: increment) }
        } else {
            streams[id]?.windowChanged(to: size)
        }
    }

    // MARK: Deadlines

    /// Has a stream told when its deadline passes.
    func watch(_ deadline: NIODeadline) {
        guard deadline < timerGoesOff, !isOver else { return }
        if timer == nil { timer = DeadlineTimer(eventLoop: connection.loop.eventLoop) { self.lookAtDeadlines() } }
        timerGoesOff = deadline
        timer?.set(deadline)
    }

    private func lookAtDeadlines() {
        timerGoesOff = .distantFuture
        let now = NIODeadline.now()
        for stream in streams.values where stream.deadline <= now { stream.deadlinePassed() }
        if let next = streams.values.map(\.deadline).min(), next < .distantFuture { watch(next) }
    }
}
