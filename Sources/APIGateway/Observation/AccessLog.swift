import Commerce
import Foundation
import HTTPProxy
import NIOPosix
import Synchronization

/// How the gateway writes down each request.
public enum AccessLogFormat: String, Sendable, CaseIterable {
    case json
    /// Apache's combined log format, without referer and user agent.
    case combined
    case none
}

// Records are made into lines on the event loop, which costs a microsecond, and gathered in memory; one thread writes them out, many lines
// by one system call. When the disk cannot keep up the buffer fills, and lines are dropped and counted: a log must not stop the shop.

/// Writes one line a request.
final class AccessLog: Sendable {
    private static let largestBacklogBytes = 4 << 20

    private struct Buffer {
        var lines: [UInt8] = []
        var dropped = 0
        var isWriting = false
    }

    private let format: AccessLogFormat
    private let thread: NIOThreadPool
    private let buffer = Mutex(Buffer())
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameter write: takes whole lines; called on the log's own thread.
    init(format: AccessLogFormat, write: @escaping @Sendable ([UInt8]) -> Void) {
        self.format = format
        self.write = write
        thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
    }

    func record(_ record: AccessRecord) {
        let line = format == .json ? Self.json(record) : Self.combined(record)
        let mustStart = buffer.withLock { buffer in
            guard buffer.lines.count + line.utf8.count <= Self.largestBacklogBytes else {
                buffer.dropped += 1
                return false
            }
            buffer.lines.append(contentsOf: line.utf8)
            defer { buffer.isWriting = true }
            return !buffer.isWriting
        }
        if mustStart { thread.submit { [self] state in if state == .active { drain() } } }
    }

    /// Writes until nothing is left. Runs on the log's own thread.
    private func drain() {
        while true {
            let (lines, dropped) = buffer.withLock { buffer in
                defer { (buffer.lines, buffer.dropped) = ([], 0) }
                if buffer.lines.isEmpty { buffer.isWriting = false }
                return (buffer.lines, buffer.dropped)
            }
            guard !lines.isEmpty else { return }
            write(lines)
            if dropped > 0 { write(Array("{\"message\":\"access log lines dropped\",\"count\":\(dropped)}\n".utf8)) }
        }
    }

    func close() async throws {
        try await thread.shutdownGracefully()
        drain()
    }

    // MARK: Lines

    /// The path and the request id have passed the proxy's checks and hold nothing that JSON must escape but quotes and backslashes.
    private static func json(_ record: AccessRecord) -> String {
        let time = Timestamp(millisecondsSinceEpoch: record.unixNanoseconds / 1_000_000)
        var line = "{\"time\":\"\(time)\",\"message\":\"request\",\"method\":\"\(record.method)\",\"path\":\"\(escaped(record.path))\""
        line += ",\"http\":\"\(record.version.rawValue)\""
        line += ",\"route\":\"\(record.routeName ?? "none")\",\"status\":\(record.status)"
        line += ",\"duration_us\":\(record.totalNanoseconds / 1000)"
        if let upstream = record.upstreamNanoseconds { line += ",\"upstream_us\":\(upstream / 1000)" }
        if let endpoint = record.upstreamEndpoint { line += ",\"upstream\":\"\(endpoint)\"" }
        line += ",\"bytes_in\":\(record.requestBytes),\"bytes_out\":\(record.responseBytes)"
        line += ",\"request_id\":\"\(escaped(record.requestID))\",\"trace_id\":\"\(record.traceID)\",\"client\":\"\(record.clientAddress)\""
        if let cache = record.cache { line += ",\"cache\":\"\(cache.rawValue)\"" }
        line += ",\"outcome\":\"\(outcome(record.outcome))\"}\n"
        return line
    }

    private static func combined(_ record: AccessRecord) -> String {
        let time = Timestamp(millisecondsSinceEpoch: record.unixNanoseconds / 1_000_000)
        let version = record.version == .http2 ? "HTTP/2.0" : "HTTP/\(record.version.rawValue)"
        return
            "\(record.clientAddress) - - [\(apacheTime(time))] \"\(record.method) \(escaped(record.path)) \(version)\" \(record.status) \(record.responseBytes) \"-\" \"-\"\n"
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// As every reader of Apache's logs takes it: `23/Nov/2026:21:34:22 +0000`. RFC 3339 has the same fields in another order.
    private static func apacheTime(_ time: Timestamp) -> String {
        let fields = time.description.split { "-T.Z".contains($0) }
        guard fields.count > 3, let month = Int(fields[1]), months.indices.contains(month - 1) else { return time.description }
        return "\(fields[2])/\(months[month - 1])/\(fields[0]):\(fields[3]) +0000"
    }

    private static func outcome(_ outcome: ExchangeOutcome) -> String {
        switch outcome {
        case .proxied: "proxied"
        case .answered: "answered"
        case .clientGone: "client-gone"
        case .failed(let failure): "failed: \(failure)"
        }
    }

    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }) else { return text }
        return text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case _ where scalar.value < 0x20: "?"
            default: String(scalar)
            }
        }.joined()
    }
}
