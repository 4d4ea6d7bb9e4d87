import HTTPProxy
import Yams

/// Which routes' responses are kept, and in how much memory.
extension GatewayConfiguration {
    static let cacheKeys: Set<String> = ["megabytes"]
    static let routeCacheKeys: Set<String> = ["enabled", "maximumBodyBytes"]

    static func cacheBytes(_ document: YAMLReader) throws -> Int {
        var megabytes = 64
        if let reader = try document.mapping("cache", keys: cacheKeys) { try reader.set(&megabytes, from: "megabytes", in: 1...65_536) }
        return megabytes << 20
    }

    /// `true` or `false`, or a mapping.
    static func routeCache(_ route: YAMLReader, _ target: RouteTarget) throws -> RouteCache? {
        guard let node = route.node("cache") else { return nil }
        var cache = RouteCache()
        if node.mapping != nil {
            guard let reader = try route.mapping("cache", keys: routeCacheKeys), try reader.bool("enabled") ?? true else { return nil }
            try reader.set(&cache.maximumBodyBytes, from: "maximumBodyBytes", in: 1...(64 << 20))
        } else {
            guard let isOn = node.bool else { throw YAMLReader.error("“cache” must be true, false or a mapping", at: node) }
            guard isOn else { return nil }
        }
        switch target {
        case .cluster, .split: return cache
        case .handler, .fixed, .redirect: throw YAMLReader.error("“cache” needs a cluster", at: node)
        }
    }
}
