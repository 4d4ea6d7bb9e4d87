public import Chassis

/// How events and jobs run. The defaults suit a service; tests and the simulation set what they need.
public struct EventsSettings: Sendable {
    /// How long events are kept, and how often what is older goes.
    public var retention = RetentionSettings()

    /// Events that a consumer applies in one transaction, at most. It bounds how long other writers wait.
    public var consumerBatch = 100
    /// How long a consumer's request waits at the producer for events.
    public var consumerWait: Duration = .seconds(25)
    /// The pause after a consumer has emptied the feed: what happens meanwhile comes in one batch.
    public var consumerPace: Duration = .milliseconds(25)
    /// How often a consumer that needs a person looks whether one has come.
    public var deadStopInterval: Duration = .seconds(60)
    /// How an event that fails is tried again. All later events of its producer wait.
    public var eventRetry: RetryPolicy = .events

    /// How often a worker looks for jobs when nothing tells it to: another replica may have written them.
    public var jobPollInterval: Duration = .seconds(1)

    public init() {}
}
