import HTTPProxy
import NIOCore
import Yams

/// Where a cluster is, who of it gets a request, and what is done about failures.
extension GatewayConfiguration {
    static let outlierKeys: Set<String> = ["enabled", "consecutiveFailures", "baseSeconds", "maximumSeconds", "maximumPercent"]
    static let resolutionKeys: Set<String> = ["enabled", "everySeconds", "family"]
    static let healthCheckKeys: Set<String> = ["path", "intervalSeconds", "timeoutSeconds", "unhealthyAfter", "healthyAfter"]
    static let breakerKeys: Set<String> = [
        "enabled", "minimumRequests", "failurePercent", "consecutiveConnectFailures", "openSeconds", "maximumOpenSeconds",
    ]
    static let retryKeys: Set<String> = ["count", "statuses", "maximumBodyBytes", "firstPauseSeconds", "longestPauseSeconds"]

    private enum Balancing: String, CaseIterable {
        case leastRequest, roundRobin, hash
    }

    static func balancing(_ cluster: YAMLReader) throws -> LoadBalancing {
        let balancing = try cluster.choice("balancing", Balancing.self) ?? .leastRequest
        if balancing != .hash, let node = cluster.node("hashBy") { throw YAMLReader.error("“hashBy” needs “balancing: hash”", at: node) }
        return switch balancing {
        case .leastRequest: .leastRequest
        case .roundRobin: .roundRobin
        case .hash: .consistentHash(by: try hashKey(cluster))
        }
    }

    private static func hashKey(_ cluster: YAMLReader) throws -> LoadBalancing.HashKey {
        switch try cluster.string("hashBy") ?? "address" {
        case "address": return .address
        case "user": return .user
        case "path": return .path
        case let text where text.hasPrefix("header:") && text.count > 7: return .header(String(text.dropFirst(7)))
        default: throw YAMLReader.error("“hashBy” must be address, user, path or header:NAME", at: cluster.node("hashBy"))
        }
    }

    static func resolution(_ cluster: YAMLReader) throws -> NameResolution? {
        var resolution = NameResolution()
        guard let reader = try cluster.mapping("resolve", keys: resolutionKeys) else { return resolution }
        try reader.set(&resolution.interval, from: "everySeconds", in: 1...3600)
        if let family = try reader.choice("family", NameResolution.Family.self) { resolution.family = family }
        return try reader.bool("enabled") ?? true ? resolution : nil
    }

    static func outlierDetection(_ cluster: YAMLReader) throws -> OutlierDetection? {
        var detection = OutlierDetection()
        guard let reader = try cluster.mapping("outlierDetection", keys: outlierKeys) else { return detection }
        try reader.set(&detection.consecutiveFailures, from: "consecutiveFailures", in: 1...1000)
        try reader.set(&detection.baseTime, from: "baseSeconds", in: 0.1...3600)
        try reader.set(&detection.maximumTime, from: "maximumSeconds", in: 0.1...86_400)
        try reader.set(&detection.maximumPercent, from: "maximumPercent", in: 0...100)
        return try reader.bool("enabled") ?? true ? detection : nil
    }

    static func healthCheck(_ cluster: YAMLReader) throws -> HealthCheck? {
        guard let reader = try cluster.mapping("healthCheck", keys: healthCheckKeys) else { return nil }
        guard let path = try place(reader, "path", mayBeAddress: false) else { throw reader.missing("path") }
        var check = HealthCheck(path: path)
        try reader.set(&check.interval, from: "intervalSeconds", in: 0.1...3600)
        try reader.set(&check.timeout, from: "timeoutSeconds", in: 0.01...60)
        try reader.set(&check.unhealthyAfter, from: "unhealthyAfter", in: 1...1000)
        try reader.set(&check.healthyAfter, from: "healthyAfter", in: 1...1000)
        return check
    }

    static func breaker(_ cluster: YAMLReader) throws -> BreakerLimits? {
        var limits = BreakerLimits()
        guard let reader = try cluster.mapping("breaker", keys: breakerKeys) else { return limits }
        try reader.set(&limits.minimumRequests, from: "minimumRequests", in: 1...1_000_000)
        try reader.set(&limits.failurePercent, from: "failurePercent", in: 1...100)
        try reader.set(&limits.consecutiveConnectFailures, from: "consecutiveConnectFailures", in: 1...1_000_000)
        try reader.set(&limits.firstOpenTime, from: "openSeconds", in: 0.01...3600)
        try reader.set(&limits.maximumOpenTime, from: "maximumOpenSeconds", in: 0.01...3600)
        return try reader.bool("enabled") ?? true ? limits : nil
    }

    static func retries(_ route: YAMLReader) throws -> RetryPolicy {
        var retries = RetryPolicy()
        guard let reader = try route.mapping("retries", keys: retryKeys) else { return retries }
        try reader.set(&retries.retries, from: "count", in: 0...10)
        try reader.set(&retries.maximumBodyBytes, from: "maximumBodyBytes", in: 0...(1 << 26))
        try reader.set(&retries.firstPause, from: "firstPauseSeconds", in: 0.001...60)
        try reader.set(&retries.longestPause, from: "longestPauseSeconds", in: 0.001...60)
        if let statuses = try reader.list("statuses", status) { retries.statuses = Set(statuses) }
        return retries
    }

    private static func status(_ text: String) throws(YAMLReader.Reason) -> Int {
        guard let status = Int(text), (500...599).contains(status) else {
            throw YAMLReader.Reason(sentence: "must be a status from 500 to 599")
        }
        return status
    }
}
