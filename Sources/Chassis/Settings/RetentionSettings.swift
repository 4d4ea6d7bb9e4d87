/// How long a service keeps what only its work needs, in so far as every service has it. Books are kept for ever: `docs/retention.md`.
public struct RetentionSettings: Sendable {
    /// How long an event stays in the outbox: for so long another service may be away without missing any.
    public var events: Duration = .seconds(7 * 86_400)
    /// How long the response to an idempotency key is given again. A day is promised; the rest is for clocks that are a day slow when a response
    /// is stored, or a day fast when it is looked at.
    public var idempotencyKeys: Duration = .seconds(3 * 86_400)
    /// How often what is older goes.
    public var interval: Duration = .seconds(600)

    public init() {}

    init(_ reader: SettingsReader) {
        let days = reader.integer(
            "retention.events.days", default: 7, in: 1...14, "How long events are kept: for so long another service may be away.")
        let hours = reader.integer(
            "retention.keys.hours", default: 72, in: 24...8_760, "How long the response to an idempotency key is given again.")
        events = .seconds(days * 86_400)
        idempotencyKeys = .seconds(hours * 3_600)
    }
}
