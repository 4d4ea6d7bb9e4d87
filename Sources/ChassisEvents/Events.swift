public import Chassis
public import ChassisStorage
import Commerce
public import Contracts
public import Logging
public import ServiceLifecycle

/// A service's events and jobs, wired together: what a composition root takes.
///
/// ```swift
/// let events = Events(service: .orders, database: database, platform: platform)
/// service.add(events.feed, events.operations)
/// service.run(events.consume(Consumer(of: .payments, handlers: [...]), from: platform.client(to: .payments)))
/// service.run(events.work([...]))
/// ```
public struct Events: Sendable {
    /// Announces what has happened.
    public let outbox: Outbox
    /// Takes work to do later.
    public let jobs: JobQueue

    private let service: ServiceName
    private let database: Database
    private let time: TimeSource
    private let randomness: Randomness
    private let logger: Logger
    private let settings: EventsSettings
    private let counters: [StatusCounter]
    private let consumers = ConsumerRegistry()
    private let indispensable = IndispensableJobs()

    /// The tables of outbox, consumers, dead letters and jobs: first in the service's own list.
    public static let migrations = Outbox.migrations + [ConsumerPosition.migration, JobTable.migration, JobTable.waitsMigration]

    public init(service: ServiceName, database: Database, platform: Platform, counters: [StatusCounter] = []) {
        var settings = EventsSettings()
        settings.retention = platform.settings.retention
        self.init(
            service: service, database: database, time: platform.time, randomness: platform.randomness, logger: platform.logger,
            counters: counters, settings: settings)
    }

    /// - Parameter counters: further numbers for `/internal/status`.
    public init(
        service: ServiceName, database: Database, time: TimeSource, randomness: Randomness, logger: Logger, counters: [StatusCounter] = [],
        settings: EventsSettings = EventsSettings()
    ) {
        self.service = service
        self.database = database
        self.time = time
        self.randomness = randomness
        self.logger = logger
        self.counters = counters
        self.settings = settings
        outbox = Outbox(time: time, randomness: randomness)
        jobs = JobQueue(time: time)
    }

    var reader: FeedReader { FeedReader(database: database, outbox: outbox, time: time) }

    // MARK: Routes

    /// `GET /internal/events`: this service's events, for the others.
    public var feed: some Controller { FeedController(reader: reader) }

    /// `/internal/status` and `/internal/dead-letters`.
    public var operations: some Controller {
        OperationsController(
            deadLetters: DeadLetters(database: database, queue: jobs, indispensable: indispensable, consumers: consumers, time: time),
            status: StatusReader(service: service, database: database, consumers: consumers, counters: counters))
    }

    // MARK: Background

    /// The loop that consumes another service's events.
    ///
    /// - Precondition: it is called once per source.
    public func consume(_ consumer: Consumer, from source: EventSource) -> some ServiceLifecycle.Service {
        let progress = ConsumerProgress(source: consumer.source, time: time)
        consumers.add(consumer, progress)
        return Consumption(
            consumer: consumer, source: source, database: database, time: time, randomness: randomness, logger: logger, settings: settings,
            progress: progress)
    }

    /// The loop that consumes the HTTP feed of the service that `client` calls.
    public func consume(_ consumer: Consumer, from client: ServiceClient) -> some ServiceLifecycle.Service {
        consume(consumer, from: .feed(of: client))
    }

    /// The worker that does this service's jobs, and trims its outbox and its other working tables.
    ///
    /// - Parameter retentions: the rules for the service's own tables.
    /// - Precondition: it is called once, with one handler per kind.
    public func work(_ handlers: [JobHandler], trimming retentions: [Retention] = []) -> some ServiceLifecycle.Service {
        indispensable.add(handlers)
        let trimming = ([.outbox(keeping: settings.retention.events)] + retentions).map { retention in
            retention.job(every: settings.retention.interval, database, time)
        }
        return JobWorker(
            handlers + trimming, queue: jobs, database: database, time: time, randomness: randomness, logger: logger, settings: settings)
    }
}
