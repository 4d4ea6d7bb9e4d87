import Chassis
public import ChassisStorage
public import Commerce
public import Contracts

/// What a handler knows of an event beside its content.
public struct EventContext: Sendable, Hashable {
    /// The CloudEvents id.
    public let id: String
    public let time: Timestamp
    /// The event's place in its producer's outbox.
    public let sequence: Int64
    /// The trace in which it happened.
    public let traceparent: String?
}

/// What a service does about one type of event.
///
/// A handler is synchronous and does all it does through the transaction, so that its effect and the consumer's position are one commit.
/// What must reach the world outside (a call, an email) it enqueues as a job in that transaction. It may throw: then nothing of it
/// remains, and it is tried again; see `Consumption`.
public struct EventHandler: Sendable {
    let type: String
    let source: ServiceName
    let apply: @Sendable (CloudEvent, Transaction) throws -> Void

    /// Handles events of type `Content`.
    public static func on<Content: Event>(
        _ type: Content.Type, _ apply: @escaping @Sendable (Content, EventContext, Transaction) throws -> Void
    ) -> EventHandler {
        EventHandler(type: Content.eventType, source: Content.source) { event, transaction in
            let content = try JSON.decode(Content.self, from: event.data)
            let context = EventContext(id: event.id, time: event.time, sequence: event.sequence, traceparent: event.traceparent)
            try EventTracing.withSpan(event.type, of: event.traceparent) { try apply(content, context, transaction) }
        }
    }
}

/// All that a service does about the events of one producer. There is one per service and producer.
public struct Consumer: Sendable {
    public let source: ServiceName
    private let handlers: [String: EventHandler]

    /// - Precondition: the handlers are for different types, all of which `source` says.
    public init(of source: ServiceName, handlers: [EventHandler]) {
        self.source = source
        self.handlers = Dictionary(handlers.map { ($0.type, $0) }) { first, _ in preconditionFailure("two handlers for \(first.type)") }
        for handler in handlers { precondition(handler.source == source, "\(handler.type) is not said by \(source.rawValue)") }
    }

    func handler(for type: String) -> EventHandler? { handlers[type] }
}
