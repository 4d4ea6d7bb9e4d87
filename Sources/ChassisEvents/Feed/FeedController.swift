import Chassis
import Commerce
import HTTPTypes
import Hummingbird

// The HTTP feed (after the http-feeds pattern, http-feeds.org): a service's outbox for all other services to read.
//
//     GET /internal/events?after=SEQ&limit=N&wait=MS  →  200 application/cloudevents-batch+json
//
// - `after`: the position of the reader, 0 at first. The answer holds the events that follow it, in order and without a hole.
// - `limit`: at most so many, 1…500.
// - `wait`: when there are none, wait so many milliseconds for some, at most 30,000. An event ends the wait at once.
//
// The producer keeps no record of its readers: a position lives with the consumer, in the database that its effects are in. So reading
// is free of effects, may be repeated, and may be done by any number of readers, replicas and curious people.
//
// Errors: 410 `feed-truncated`, when the reader was away for longer than events are kept; 409 `feed-ahead`, when it knows of events that
// this outbox never had. A service that stops answers the waits it holds with an empty batch, so that they do not delay its end.

struct FeedController: Controller {
    let reader: FeedReader

    var routes: [Route] {
        [.get("/internal/events", .services, events)]
    }

    private func events(_ call: Call) async throws -> Response {
        let position = try call.number("after", in: 0...Int64.max, standard: 0)
        let limit = try call.number("limit", in: 1...Int64(FeedReader.largestLimit), standard: 100)
        let wait = try call.number("wait", in: 0...FeedReader.longestWait.wholeMilliseconds, standard: 0)
        do {
            let events = try await reader.read(after: position, limit: Int(limit), wait: .milliseconds(wait))
            return Response(
                status: .ok, headers: [.contentType: CloudEvent.batchContentType],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: CloudEventBatch.encode(events))))
        } catch let error as FeedError {
            throw Problem(
                error.isTruncated ? .gone : .conflict, error.problemKind, "This feed cannot continue there", detail: error.description)
        }
    }
}

extension Call {
    /// A whole number in the query.
    fileprivate func number(_ name: String, in range: ClosedRange<Int64>, standard: Int64) throws(Problem) -> Int64 {
        guard let text = query(name) else { return standard }
        guard let value = Int64(text), range.contains(value) else {
            throw .invalid("?\(name)", "must be a whole number between \(range.lowerBound) and \(range.upperBound)")
        }
        return value
    }
}
