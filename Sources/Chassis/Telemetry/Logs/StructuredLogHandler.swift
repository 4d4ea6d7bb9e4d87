public import Logging

/// The swift-log backend of every service: one line an event, formatted without a lock and written with one call.
public struct StructuredLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level

    private let label: String
    private let service: String
    private let style: LogStyle
    private let output: LogOutput
    private let time: TimeSource

    /// - Parameters:
    ///   - label: the logger's; shown when it differs from the service.
    ///   - service: whose line it is, as in `order-service`.
    public init(
        label: String,
        service: String,
        level: Logger.Level = .info,
        style: LogStyle,
        output: LogOutput,
        metadataProvider: Logger.MetadataProvider? = .serviceContext,
        time: TimeSource = .system
    ) {
        self.label = label
        self.service = service
        self.logLevel = level
        self.style = style
        self.output = output
        self.metadataProvider = metadataProvider
        self.time = time
    }

    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var context = metadata
        if let provided = metadataProvider?.get(), !provided.isEmpty { context.merge(provided) { _, provided in provided } }
        let record = LogRecord(event, time: time.now, service: service, label: label, context: context)
        switch style {
        case .json: output.write(JSONLogLine.bytes(record))
        case .pretty(let colours): output.write(PrettyLogLine.bytes(record, colours: colours))
        }
    }
}
