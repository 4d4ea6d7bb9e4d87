import Chassis
import Commerce
import Contracts
import HTTPTypes
import Hummingbird
import ServiceLifecycle

// `GET /api/orders/{id}/events`: Server-Sent Events (WHATWG HTML, section 9.2), one for each change of an order's status.
//
//     id: 2                      the entry's sequence in the timeline
//     event: status
//     data: {"at":"2026-11-23T21:34:22.000Z","orderId":7,"status":"paid"}
//
// A stream begins with all changes so far, or with those after `Last-Event-ID`, so that a client that was cut off misses nothing and
// sees nothing twice. It goes on with each change as it is committed (`OrderChanges`), found by looking again now and then when
// another replica committed it. In between, a comment every 15 seconds keeps proxies from taking the connection for dead, and finds out
// whether the client is still there.
//
// A stream ends after a final status; when the service stops (the client connects again, to another replica or to the restarted
// process); and after `longestStream`, so that nobody follows for ever with a token that has long expired. A client that comes back after
// the last event of a finished order gets a 204, which tells an EventSource to stop asking.
//
// When the client hangs up, the task is cancelled, whatever it waits for, and its follower is released.

/// Streams the changes of orders.
struct OrderFollowing: Sendable {
    let orders: Orders
    let changes: OrderChanges
    let time: TimeSource
    /// How often a follower looks without being told.
    let pollInterval: Duration

    static let heartbeatInterval: Duration = .seconds(15)
    static let longestStream: Duration = .seconds(15 * 60)

    private static let headers: HTTPFields = [
        .contentType: "text/event-stream", .cacheControl: "no-store", .connection: "close",
    ]

    func response(to id: OrderID, _ call: Call) async throws -> Response {
        let user = try call.user
        // A header that this service did not write is as good as none.
        let position = call.request.headers[.lastEventID].flatMap { Int64($0) } ?? 0
        let follower = try changes.follow(id)
        let (order, timeline) = try await orders.order(id, for: user)
        if order.status.isFinal, !timeline.contains(where: { $0.changesStatus && $0.sequence > position }) { return .noContent }
        let request = call.request
        let body = ResponseBody { writer in
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                try await stream(id, user, after: position, follower, to: &writer)
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: Self.headers, body: body)
    }

    /// Writes events and heartbeats until one of the ends.
    func stream(
        _ id: OrderID, _ user: UserIdentity, after position: Int64, _ follower: OrderFollower, to writer: inout any ResponseBodyWriter
    ) async throws {
        try await withGracefulShutdownHandler {
            var position = position
            let end = time.monotonic + Self.longestStream
            var silentSince = time.monotonic
            try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
            while !Task.isShuttingDownGracefully, time.monotonic < end {
                let (order, timeline) = try await orders.order(id, for: user)
                let news = timeline.filter { $0.changesStatus && $0.sequence > position }
                if let latest = news.last {
                    try await writer.write(try Self.events(news, of: id))
                    (position, silentSince) = (latest.sequence, time.monotonic)
                } else if time.monotonic - silentSince >= Self.heartbeatInterval {
                    try await writer.write(ByteBuffer(string: ": still here\n\n"))
                    silentSince = time.monotonic
                }
                if order.status.isFinal { return }
                await wait(for: follower, atMost: min(pollInterval, Self.heartbeatInterval))
                try Task.checkCancellation()
            }
        } onGracefulShutdown: {
            follower.wake()
        }
    }

    private func wait(for follower: OrderFollower, atMost limit: Duration) async {
        await withTaskGroup { group in
            group.addTask { await follower.change() }
            // Cancelled as soon as the other is done: to be cut short is its ordinary end.
            group.addTask { [time] in try? await time.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    private struct StatusEvent: Encodable {
        let at: Timestamp
        let orderId: OrderID
        let reason: String?
        let status: OrderStatus
    }

    private static func events(_ entries: [TimelineEntry], of id: OrderID) throws -> ByteBuffer {
        var text = ByteBuffer()
        for entry in entries {
            text.writeString("id: \(entry.sequence)\nevent: status\ndata: ")
            var data = try JSON.encode(StatusEvent(at: entry.at, orderId: id, reason: entry.reason, status: entry.status))
            text.writeBuffer(&data)
            text.writeString("\n\n")
        }
        return text
    }
}

extension HTTPField.Name {
    fileprivate static let lastEventID = HTTPField.Name("Last-Event-ID")!
}
