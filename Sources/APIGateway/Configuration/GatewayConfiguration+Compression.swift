import HTTPProxy

extension GatewayConfiguration {
    static let compressionKeys: Set<String> = ["enabled", "minimumBytes", "level"]

    static func compression(_ route: YAMLReader) throws -> Compression? {
        var compression = Compression()
        guard let reader = try route.mapping("compression", keys: compressionKeys) else { return compression }
        guard try reader.bool("enabled") ?? true else { return nil }
        try reader.set(&compression.minimumBytes, from: "minimumBytes", in: 0...(1 << 30))
        try reader.set(&compression.level, from: "level", in: 1...9)
        return compression
    }
}
