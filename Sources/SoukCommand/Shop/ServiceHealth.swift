import Chassis
import Contracts
import Foundation
import HTTPTypes

/// How a service of a running shop is, and why it is not well: it says so itself, or its log has its last words.
struct ServiceHealth: Sendable {
    private struct Report: Decodable {
        let version: String?
        let reasons: [String: String]?
    }

    let isHealthy: Bool
    let version: String?
    /// Nil when it is healthy.
    let trouble: String?

    static func read(_ service: ServiceName, of shop: RunningShop, in directory: DataDirectory, _ transport: HTTPTransport) async -> Self {
        let address = shop.address(of: service)
        let probe = OutboundRequest(method: .get, url: address + (service == .gateway ? "/ready" : "/health"), headers: [:], body: nil)
        guard let response = try? await transport.send(probe, timeout: .seconds(2)) else {
            let words = directory.lastWords(of: service).map { "; the last that it said: \($0)" } ?? ""
            return ServiceHealth(isHealthy: false, version: nil, trouble: "does not answer\(words)")
        }
        let report = try? JSON.decode(Report.self, from: response.body)
        guard response.status != .ok else { return ServiceHealth(isHealthy: true, version: report?.version, trouble: nil) }
        let reasons = (report?.reasons ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        return ServiceHealth(
            isHealthy: false, version: report?.version,
            trouble: reasons.isEmpty ? "answers \(response.status.code)" : reasons.joined(separator: "; "))
    }
}

extension DataDirectory {
    /// What is read of the end of a log.
    private static let tail: UInt64 = 16_384

    /// The sentence with which a service ended, when that is the last in its log: a log has one JSON object a line, and a service that gives up
    /// says why in words.
    func lastWords(of service: ServiceName) -> String? {
        guard let log = try? FileHandle(forReadingFrom: log(of: service)), let end = try? log.seekToEnd() else { return nil }
        defer { try? log.close() }
        guard (try? log.seek(toOffset: end - min(end, Self.tail))) != nil, let bytes = try? log.readToEnd() else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let words = lines.reversed().prefix { !$0.hasPrefix("{") }.reversed()
        return words.isEmpty ? nil : words.joined(separator: " ")
    }
}
