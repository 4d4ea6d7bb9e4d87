public import Chassis
import Foundation
public import HTTPProxy
import NIOCore
import Yams

// The gateway's configuration is one YAML document:
//
//   trustedProxies: [10.0.0.0/8]          # only these are believed about X-Forwarded-For and traceparent
//   clusters:
//     - name: orders
//       endpoints: [http://127.0.0.1:3003]
//       balancing: leastRequest           # or roundRobin, hash
//       healthCheck: {path: /ready}
//   routes:
//     - name: orders                      # the label in metrics and logs
//       path: /api/orders                 # takes all below; a path with {parameters}, or `exact: true`, takes just itself
//       methods: [GET, POST]              # absent: every method
//       host: shop.example.com            # absent: every host
//       headers: {X-Beta: "1"}            # fields that a request must have; with '' whatever their value
//       cluster: orders                   # or one of: split, redirect, respond
//       rewrite: /v2/orders               # stands in place of the path's prefix when it is sent on
//       authentication: required          # required | optional | none (default)
//       totalSeconds: 30                  # 0: no limit, for streams
//       firstByteSeconds: 15
//       retries: {count: 2}
//       cache: true                       # keeps responses that say that they are for everybody, and for how long
//       maximumBodyBytes: 1048576
//       rateLimits:                       # all of them hold
//         - {name: minute, requests: 60, seconds: 60, burst: 20, by: user}   # by: address (default) | user | token | route
//
// `${NAME}` stands for an environment variable. The whole document is read and checked before any of it is used.

/// What the YAML file says, checked.
public struct GatewayConfiguration: Sendable {
    /// Whether a route asks who calls before it lets a request pass.
    public enum Authentication: String, Sendable, CaseIterable {
        case required
        /// A token that comes along must be good; without one the request is anonymous.
        case optional
        case none
    }

    public struct RouteEntry: Sendable {
        public let name: String
        public let host: String?
        public let methods: Set<String>?
        public let headers: [HeaderMatch]
        public let path: PathPattern
        public let rewrite: String?
        public let target: RouteTarget
        public let authentication: Authentication
        public let roles: Set<Role>?
        public let namesUser: Bool
        public let timeouts: RouteTimeouts
        public let retries: RetryPolicy
        public let upgrades: Set<String>
        public let cors: CORS?
        public let addsSecurityHeaders: Bool
        public let compression: Compression?
        public let cache: RouteCache?
        public let maximumBodyBytes: Int
        public let rateLimits: [RateLimit]
    }

    public let clusters: [Cluster]
    public let routes: [RouteEntry]
    public let trustedProxies: [AddressRange]
    public let tls: ServerTLS?
    public let http2: HTTP2Options
    public let limits: ProxyLimits
    /// How many bytes the responses that are kept may take.
    public let cacheBytes: Int
    let secrets: ConfigurationSecrets

    /// Reads a document. `variables` are what `${NAME}` may stand for.
    public init(yaml: String, variables: [String: String]) throws {
        let text = try Self.substituting(variables, in: yaml)
        let document: Node?
        do {
            document = try Yams.compose(yaml: text)
        } catch {
            throw Self.syntaxError(error)
        }
        guard let document else { throw GatewayConfigurationError(line: nil, sentence: "the file is empty") }
        let reader = try YAMLReader(document, keys: Self.documentKeys)
        clusters = try reader.elements("clusters").map(Self.cluster)
        try Self.requireDistinctNames(of: reader.elements("clusters"))
        let names = Set(clusters.map(\.name))
        routes = try reader.elements("routes").map { try Self.route($0, clusters: names) }
        try Self.requireDistinctNames(of: reader.elements("routes"))
        trustedProxies = try reader.list("trustedProxies", Self.addressRange) ?? []
        tls = try Self.serverTLS(reader)
        http2 = try Self.http2(reader)
        limits = try Self.limits(reader)
        cacheBytes = try Self.cacheBytes(reader)
        secrets = ConfigurationSecrets(usedIn: yaml, variables: variables)
        guard !routes.isEmpty else { throw reader.missing("routes") }
    }

    /// Every `${NAME}` becomes its value. A value is taken as it stands: what looks like a variable in it is none.
    private static func substituting(_ variables: [String: String], in text: String) throws -> String {
        var lines: [String] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var rest = line
            var result = ""
            while let start = rest.range(of: "${"), let end = rest[start.upperBound...].range(of: "}") {
                let name = String(rest[start.upperBound..<end.lowerBound])
                guard let value = variables[name] else {
                    throw GatewayConfigurationError(line: index + 1, sentence: "the environment has no \(name)")
                }
                result += rest[..<start.lowerBound] + value
                rest = rest[end.upperBound...]
            }
            lines.append(result + rest)
        }
        return lines.joined(separator: "\n")
    }

    private static func syntaxError(_ error: any Error) -> GatewayConfigurationError {
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            GatewayConfigurationError(line: mark.line, sentence: "not YAML: \(problem)")
        default: GatewayConfigurationError(line: nil, sentence: "not YAML: \(error)")
        }
    }

    /// Names are labels in metrics and what routes go by: two of the same would be one.
    static func requireDistinctNames(of elements: [Node]) throws(GatewayConfigurationError) {
        var seen: Set<String> = []
        for element in elements {
            guard let name = element["name"], let text = name.string else { continue }
            guard seen.insert(text).inserted else { throw YAMLReader.error("“\(text)” is there twice", at: name) }
        }
    }

    // Each is told of in docs/gateway.md, which a test sees to.
    static let documentKeys: Set<String> = ["clusters", "routes", "trustedProxies", "clients", "tls", "http2", "cache"]
    static let routeKeys: Set<String> = [
        "name", "host", "methods", "headers", "path", "exact", "rewrite", "cluster", "split", "pinnedBy", "redirect", "respond",
        "authentication", "roles", "identityHeaders", "totalSeconds", "firstByteSeconds", "idleSeconds", "upgrades", "cors",
        "securityHeaders", "compression", "cache", "retries", "maximumBodyBytes", "rateLimits",
    ]
    static let shareKeys: Set<String> = ["cluster", "weight"]
    static let redirectKeys: Set<String> = ["to", "status"]
    static let responseKeys: Set<String> = ["status", "contentType", "text"]
    static let rateLimitKeys: Set<String> = ["name", "requests", "seconds", "burst", "by"]
    static let clusterKeys: Set<String> = [
        "name", "endpoints", "connectSeconds", "maximumConnections", "maximumWaitSeconds", "overloadedWaitSeconds", "balancing", "hashBy",
        "outlierDetection", "healthCheck", "breaker", "tls", "resolve",
    ]

    private static func cluster(_ node: Node) throws -> Cluster {
        let reader = try YAMLReader(node, keys: Self.clusterKeys)
        let (endpoints, isSecure) = try endpoints(reader)
        var limits = ConnectionLimits()
        try reader.set(&limits.connectTimeout, from: "connectSeconds", in: 0.01...60)
        try reader.set(&limits.maximumConnections, from: "maximumConnections", in: 1...65_536)
        try reader.set(&limits.maximumWait, from: "maximumWaitSeconds", in: 0.001...60)
        try reader.set(&limits.overloadedWait, from: "overloadedWaitSeconds", in: 0.001...60)
        var cluster = Cluster(name: try reader.requiredString("name"), endpoints: endpoints, connections: limits)
        cluster.tls = try upstreamTLS(reader, isSecure: isSecure)
        cluster.resolution = try resolution(reader)
        cluster.balancing = try balancing(reader)
        cluster.outlierDetection = try outlierDetection(reader)
        cluster.healthCheck = try healthCheck(reader)
        cluster.breaker = try breaker(reader)
        return cluster
    }

    /// - Returns: also whether they are spoken to over TLS: all or none.
    private static func endpoints(_ cluster: YAMLReader) throws -> ([Endpoint], isSecure: Bool) {
        guard let found = try cluster.list("endpoints", endpoint), let first = found.first else { throw cluster.missing("endpoints") }
        guard found.allSatisfy({ $0.isSecure == first.isSecure }) else {
            throw YAMLReader.error("“endpoints” must be all http or all https", at: cluster.node("endpoints"))
        }
        return (found.map(\.endpoint), first.isSecure)
    }

    private static func endpoint(_ text: String) throws(YAMLReader.Reason) -> (endpoint: Endpoint, isSecure: Bool) {
        guard let url = URL(string: text), let scheme = url.scheme, ["http", "https"].contains(scheme),
            let host = url.host(percentEncoded: false), !host.isEmpty, ["", "/"].contains(url.path()), url.query() == nil, url.user() == nil
        else { throw YAMLReader.Reason(sentence: "must be an address such as http://127.0.0.1:3001") }
        let port = url.port ?? (scheme == "https" ? 443 : 80)
        guard (1...65_535).contains(port) else { throw YAMLReader.Reason(sentence: "must be an address such as http://127.0.0.1:3001") }
        return (Endpoint(host: host, port: port), scheme == "https")
    }

    private static func route(_ node: Node, clusters: Set<String>) throws -> RouteEntry {
        let reader = try YAMLReader(node, keys: Self.routeKeys)
        let path = try reader.requiredString("path")
        guard path.hasPrefix("/") else { throw YAMLReader.error("“path” must begin with /", at: reader.node("path")) }
        let target = try target(reader, clusters)
        let exact = try reader.bool("exact") ?? path.contains("{")
        return RouteEntry(
            name: try reader.requiredString("name"), host: try reader.string("host"),
            methods: try reader.strings("methods").map { Set($0.map { $0.uppercased() }) },
            headers: try reader.members("headers").map { HeaderMatch(name: $0.name, value: $0.value.isEmpty ? nil : $0.value) },
            path: exact ? .template(path) : .prefix(path), rewrite: try place(reader, "rewrite", mayBeAddress: false), target: target,
            authentication: try reader.choice("authentication", Authentication.self) ?? .none, roles: try roles(reader),
            namesUser: try reader.bool("identityHeaders") ?? false,
            timeouts: try timeouts(reader), retries: try retries(reader),
            upgrades: Set(try reader.strings("upgrades") ?? []), cors: try cors(reader),
            addsSecurityHeaders: try reader.bool("securityHeaders") ?? false, compression: try compression(reader),
            cache: try routeCache(reader, target), maximumBodyBytes: try reader.integer("maximumBodyBytes", in: 0...(1 << 40)) ?? 1 << 20,
            rateLimits: try rateLimits(reader))
    }

    private static func roles(_ reader: YAMLReader) throws -> Set<Role>? {
        guard let names = try reader.strings("roles") else { return nil }
        guard try reader.choice("authentication", Authentication.self) == .required else {
            throw YAMLReader.error("“roles” needs “authentication: required”", at: reader.node("roles"))
        }
        return Set(
            try names.map { name in
                guard let role = Role(rawValue: name) else {
                    let known = Role.allCases.map(\.rawValue).joined(separator: ", ")
                    throw YAMLReader.error("“roles” must be of \(known)", at: reader.node("roles"))
                }
                return role
            })
    }

    private static func timeouts(_ reader: YAMLReader) throws -> RouteTimeouts {
        var timeouts = RouteTimeouts()
        if let seconds = try reader.seconds("totalSeconds", in: 0...86_400) { timeouts.total = limit(seconds) }
        if let seconds = try reader.seconds("firstByteSeconds", in: 0...86_400) { timeouts.firstByte = limit(seconds) }
        if let seconds = try reader.seconds("idleSeconds", in: 0...86_400) { timeouts.idle = limit(seconds) }
        return timeouts
    }

    private static func limit(_ seconds: Double) -> TimeAmount? {
        seconds == 0 ? nil : .milliseconds(Int64(seconds * 1000))
    }

    private static func addressRange(_ text: String) throws(YAMLReader.Reason) -> AddressRange {
        guard let range = AddressRange(text) else { throw YAMLReader.Reason(sentence: "must be an address range such as 10.0.0.0/8") }
        return range
    }
}
