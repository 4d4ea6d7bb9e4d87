import Commerce
import Logging

/// What one log line says, put together from the logger, the context and the call, with everything sensitive already taken out.
struct LogRecord: Sendable {
    struct Failure: Sendable {
        /// The error's Swift type, or what the caller passed as `error_type`.
        let type: String?
        let message: String
    }

    let time: Timestamp
    let level: Logger.Level
    let service: String
    /// The logger's label, when it is not the service itself.
    let logger: String?
    let message: String
    let requestID: String?
    let traceID: String?
    let spanID: String?
    let error: Failure?
    /// Sorted by key, so that equal events give equal lines.
    let metadata: [(key: String, value: Logger.MetadataValue)]

    init(_ event: LogEvent, time: Timestamp, service: String, label: String, context: Logger.Metadata) {
        var members = context
        if let explicit = event.metadata { members.merge(explicit) { _, explicit in explicit } }

        self.time = time
        self.level = event.level
        self.service = service
        self.logger = label == service ? nil : label
        self.message = event.message.description
        // Hummingbird's own name for the id comes second: where both are set, ours is the one that the client saw.
        let hummingbirdID = members.removeValue(forKey: "hb.request.id")
        self.requestID = (members.removeValue(forKey: "request_id") ?? hummingbirdID)?.description
        self.traceID = members.removeValue(forKey: "trace_id")?.description
        self.spanID = members.removeValue(forKey: "span_id")?.description
        if let error = event.error {
            self.error = Failure(type: String(reflecting: Swift.type(of: error)), message: String(describing: error))
        } else {
            let type = members.removeValue(forKey: "error_type")?.description
            self.error = members.removeValue(forKey: "error").map { Failure(type: type, message: Self.redacted($0).description) }
        }
        self.metadata = members.map { ($0.key, Self.redacted($0.value, under: $0.key)) }.sorted { $0.key < $1.key }
    }

    private static func redacted(_ value: Logger.MetadataValue, under key: String) -> Logger.MetadataValue {
        Redaction.isSensitive(key) ? .string(Redaction.placeholder) : redacted(value)
    }

    private static func redacted(_ value: Logger.MetadataValue) -> Logger.MetadataValue {
        switch value {
        case .string, .stringConvertible: value
        case .array(let elements): .array(elements.map { redacted($0) })
        case .dictionary(let members):
            .dictionary(Dictionary(uniqueKeysWithValues: members.map { ($0.key, redacted($0.value, under: $0.key)) }))
        }
    }
}
