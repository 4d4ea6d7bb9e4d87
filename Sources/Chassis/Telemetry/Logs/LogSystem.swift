import Foundation
public import Logging
import Tracing

/// Sets up logging for a whole process.
public enum LogSystem {
    /// Makes every `Logger` of this process write through ``StructuredLogHandler``.
    ///
    /// swift-log allows it once a process and stops the program on a second call, so it belongs at the top of `main`, never in a test.
    public static func bootstrap(service: String, level: Logger.Level, format: LogFormat, to output: LogOutput = .standardError) {
        let style = LogStyle(format, isTerminal: output.isTerminal, environment: ProcessInfo.processInfo.environment)
        LoggingSystem.bootstrap(
            { label, provider in
                StructuredLogHandler(label: label, service: service, level: level, style: style, output: output, metadataProvider: provider)
            },
            metadataProvider: .serviceContext
        )
    }
}

extension Logger.MetadataProvider {
    /// `trace_id`, `span_id` and `request_id` of the ``ServiceContext`` the current task runs in.
    public static let serviceContext = Logger.MetadataProvider {
        guard let context = ServiceContext.current else { return [:] }
        var metadata: Logger.Metadata = [:]
        if let trace = context.traceContext {
            metadata["trace_id"] = .string(trace.traceID.description)
            metadata["span_id"] = .string(trace.spanID.description)
        }
        if let requestID = context.requestID { metadata["request_id"] = .string(requestID) }
        return metadata
    }
}
