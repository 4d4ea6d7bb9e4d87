import Chassis
import ChassisTesting
import Foundation
import Synchronization
import Testing

@testable import APIGateway
@testable import HTTPProxy

@Suite("The access log")
struct AccessLogTests {
    private static func record(
        path: String = "/api/orders", requestID: String = "r1", status: Int = 200, version: ProtocolVersion = .http11,
        cache: CacheResult? = nil
    ) -> AccessRecord {
        AccessRecord(
            unixNanoseconds: 1_795_469_662_007_000_000, method: "GET", path: path, routeName: "orders", clusterName: "orders",
            status: status,
            requestBytes: 1, responseBytes: 2, totalNanoseconds: 3_500, upstreamNanoseconds: 2_000,
            upstreamEndpoint: Endpoint(host: "::1", port: 80),
            requestID: requestID, traceID: "abc", clientAddress: "127.0.0.1", version: version, outcome: .proxied, cache: cache)
    }

    /// What is written while `body` runs.
    private func written(_ format: AccessLogFormat, _ body: (AccessLog) async throws -> Void) async throws -> [String] {
        let lines = Mutex("")
        let log = AccessLog(format: format) { bytes in lines.withLock { $0 += String(decoding: bytes, as: UTF8.self) } }
        try await body(log)
        try await log.close()
        return lines.withLock { $0 }.split(separator: "\n").map(String.init)
    }

    @Test("a line is a JSON object that tells all there is to tell, and nothing of query or body")
    func json() async throws {
        let lines = try await written(.json) { $0.record(Self.record()) }
        let line = try JSONDecoder().decode(JSONValue.self, from: Data(try #require(lines.first).utf8))
        #expect(
            line["time"] == "2026-11-23T21:34:22.007Z" && line["method"] == "GET" && line["path"] == "/api/orders"
                && line["route"] == "orders")
        #expect(line["status"] == 200 && line["duration_us"] == 3 && line["upstream_us"] == 2 && line["upstream"] == "[::1]:80")
        #expect(line["bytes_in"] == 1 && line["bytes_out"] == 2 && line["request_id"] == "r1" && line["trace_id"] == "abc")
        #expect(line["client"] == "127.0.0.1" && line["http"] == "1.1" && line["outcome"] == "proxied")
    }

    @Test(
        "no path breaks out of its line or its string", arguments: ["/a\"b", "/a\\b", "/a\nb", "/a\u{1}\u{1F}b", "/ä🎉", "/\\\"", "/\u{7F}"])
    func escaping(path: String) async throws {
        let lines = try await written(.json) { $0.record(Self.record(path: path, requestID: path)) }
        #expect(lines.count == 1)
        let line = try JSONDecoder().decode(JSONValue.self, from: Data(try #require(lines.first).utf8))
        let shown = String(String.UnicodeScalarView(path.unicodeScalars.map { $0.value < 0x20 ? "?" : $0 }))
        #expect(line["path"].string == shown && line["request_id"].string == shown)
        #expect(try await written(.combined) { $0.record(Self.record(path: path)) }.count == 1)
    }

    @Test("how the cache took part is told of routes that cache, and only of those")
    func cache() async throws {
        let lines = try await written(.json) { log in
            for result in CacheResult.allCases { log.record(Self.record(cache: result)) }
            log.record(Self.record())
        }
        let told = try lines.map { try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
        #expect(told.map { $0["cache"].string } == ["hit", "miss", "coalesced", "bypass", nil])
        #expect(told.last?.members.contains("cache") == false)
    }

    @Test("the combined format is that of every other server")
    func combined() async throws {
        let lines = try await written(.combined) { log in
            for version in [ProtocolVersion.http11, .http2] { log.record(Self.record(version: version)) }
        }
        #expect(
            lines == ["1.1", "2.0"].map { #"127.0.0.1 - - [23/Nov/2026:21:34:22 +0000] "GET /api/orders HTTP/\#($0)" 200 2 "-" "-""# })
    }

    @Test("lines from many threads are all written, each whole")
    func concurrent() async throws {
        let lines = try await written(.json) { log in
            await withTaskGroup(of: Void.self) { group in
                for thread in 0..<8 {
                    group.addTask { @concurrent in for number in 0..<100 { log.record(Self.record(requestID: "\(thread)-\(number)")) } }
                }
            }
        }
        let ids = try lines.map { try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))["request_id"].string ?? "" }
        #expect(Set(ids).count == 800 && lines.count == 800)
    }

    @Test("when the disk cannot keep up lines are dropped and counted, and nobody waits")
    func backlog() async throws {
        let gate = DispatchSemaphore(value: 0)
        let lines = Mutex("")
        let log = AccessLog(format: .json) { bytes in
            gate.wait()
            gate.signal()
            lines.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
        }
        let count = 2_000
        let path = "/" + String(repeating: "x", count: 5_000)
        for _ in 0..<count { log.record(Self.record(path: path)) }
        gate.signal()
        try await log.close()
        let written = try lines.withLock { $0 }.split(separator: "\n").map { try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
        let kept = written.count { $0["path"].string == path }
        let dropped = written.reduce(0) { $0 + ($1["count"].integer ?? 0) }
        #expect(dropped > 0 && kept + Int(dropped) == count)
    }
}
