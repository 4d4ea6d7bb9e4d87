public import Commerce

/// An event in the envelope of CloudEvents 1.0, with its `data` as the JSON text that the producer stored.
///
/// Two extensions are always there or understood: `sequence` (the CloudEvents "Sequence" extension), the event's place in its
/// producer's outbox, and `traceparent` (the "Distributed Tracing" extension), the W3C trace context in which it happened.
public struct CloudEvent: Sendable, Hashable {
    /// Unique among the events of one `source`: 32 hexadecimal digits.
    public let id: String
    /// The service that says it, for example `order-service`.
    public let source: String
    /// What happened, for example `souk.order.placed`.
    public let type: String
    /// The id of the thing that it is about.
    public let subject: String?
    public let time: Timestamp
    /// Positive, and growing in the order in which the producer's transactions became visible.
    public let sequence: Int64
    public let traceparent: String?
    /// JSON text; its media type is `application/json`.
    public let data: String

    public init(
        id: String, source: String, type: String, subject: String?, time: Timestamp, sequence: Int64, traceparent: String? = nil,
        data: String
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.subject = subject
        self.time = time
        self.sequence = sequence
        self.traceparent = traceparent
        self.data = data
    }

    /// The media type of `data`.
    public static let dataContentType = "application/json"
    /// The media type of a batch, by the CloudEvents JSON format, section 4.
    public static let batchContentType = "application/cloudevents-batch+json"
    static let specificationVersion = "1.0"
}
