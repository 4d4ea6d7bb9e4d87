import HTTPTypes
import Metrics
import Synchronization

/// What is counted of requests, under the names of OpenTelemetry's semantic conventions. Labels are bounded: route templates, never paths.
///
/// The timers are kept, because finding one by its labels costs more than recording.
final class ServiceMetrics: Sendable {
    private struct Key: Hashable {
        let method: String
        let route: String
        let status: Int
    }

    private let timers = Mutex<[Key: Timer]>([:])

    func requestEnded(method: HTTPRequest.Method, route: String?, status: HTTPResponse.Status, duration: Duration) {
        let (seconds, attoseconds) = duration.components
        timer(Key(method: method.rawValue, route: route ?? "none", status: status.code))
            .recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    private func timer(_ key: Key) -> Timer {
        timers.withLock { timers in
            if let timer = timers[key] { return timer }
            let timer = Timer(
                label: "http.server.request.duration",
                dimensions: [
                    ("http.request.method", key.method), ("http.route", key.route), ("http.response.status_code", "\(key.status)"),
                ])
            // A method is the client's word: those of unknown routes are not kept, so that nobody can fill the table.
            if key.route != "none" { timers[key] = timer }
            return timer
        }
    }
}
