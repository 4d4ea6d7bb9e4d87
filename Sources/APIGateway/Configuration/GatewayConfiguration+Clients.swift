import HTTPProxy

/// What a client's connection may take, and which versions of HTTP it may speak.
extension GatewayConfiguration {
    static let clientKeys: Set<String> = ["maximumHeadBytes", "maximumHeaderFields", "headSeconds", "keepAliveSeconds"]
    static let http2Keys: Set<String> = ["enabled", "cleartext", "maximumStreams"]

    static func limits(_ document: YAMLReader) throws -> ProxyLimits {
        var limits = ProxyLimits()
        guard let reader = try document.mapping("clients", keys: clientKeys) else { return limits }
        try reader.set(&limits.maximumHeadBytes, from: "maximumHeadBytes", in: 1024...(1 << 20))
        try reader.set(&limits.maximumHeaderFields, from: "maximumHeaderFields", in: 10...1000)
        try reader.set(&limits.headTimeout, from: "headSeconds", in: 0.1...300)
        try reader.set(&limits.idleTimeout, from: "keepAliveSeconds", in: 0.1...3600)
        return limits
    }

    static func http2(_ document: YAMLReader) throws -> HTTP2Options {
        var options = HTTP2Options()
        guard let reader = try document.mapping("http2", keys: http2Keys) else { return options }
        options.isEnabled = try reader.bool("enabled") ?? options.isEnabled
        options.isCleartextAllowed = try reader.bool("cleartext") ?? options.isCleartextAllowed
        try reader.set(&options.maximumConcurrentStreams, from: "maximumStreams", in: 1...10_000)
        return options
    }
}
