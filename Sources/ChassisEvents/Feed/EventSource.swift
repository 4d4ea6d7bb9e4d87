public import Chassis
import Commerce
import HTTPTypes

/// Where a consumer reads the events of one producer.
///
/// A source gives the events after a position, ascending by sequence and without leaving out any that the producer has. It may give an
/// event again, and may fail at any time; the consumer copes with both. When it has none it waits up to `wait` for some.
public struct EventSource: Sendable {
    public let read: @Sendable (_ after: Int64, _ limit: Int, _ wait: Duration) async throws -> [CloudEvent]

    public init(read: @escaping @Sendable (_ after: Int64, _ limit: Int, _ wait: Duration) async throws -> [CloudEvent]) {
        self.read = read
    }
}

extension EventSource {
    /// The HTTP feed of the service that `client` calls.
    public static func feed(of client: ServiceClient) -> EventSource {
        EventSource { after, limit, wait in
            let reply = try await client.exchange(
                .get, "/internal/events?after=\(after)&limit=\(limit)&wait=\(wait.wholeMilliseconds)", body: nil,
                // The consumer's own loop repeats the call; retries below it would only delay its stop.
                idempotent: false, timeout: wait + Self.answerTime)
            guard reply.status == .ok else { throw refusal(reply) }
            return try CloudEventBatch.decode([UInt8](reply.body))
        }
    }

    /// The outbox of a producer in the same process: for tests and for the simulation.
    public static func outbox(of events: Events) -> EventSource {
        let reader = events.reader
        return EventSource { after, limit, wait in try await reader.read(after: after, limit: limit, wait: wait) }
    }

    /// How long an answer may take beyond the wait that was asked for.
    private static let answerTime: Duration = .seconds(10)

    private static func refusal(_ reply: InboundResponse) -> any Error {
        struct Document: Decodable {
            let type: String
            let detail: String?
        }
        // Anything that is no problem document came from something that is no feed: the status says all there is to say.
        if let document = try? JSON.decode(Document.self, from: reply.body), let kind = document.type.split(separator: ":").last,
            let error = FeedError(problemKind: String(kind), detail: document.detail ?? "")
        {
            return error
        }
        return FeedRefused(status: reply.status.code)
    }
}

/// A feed answered with another status than 200. Asking again later may succeed.
struct FeedRefused: Error, CustomStringConvertible {
    let status: Int
    var description: String { "the feed answered with status \(status)" }
}
