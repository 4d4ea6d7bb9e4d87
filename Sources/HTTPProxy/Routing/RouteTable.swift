// The route table: a tree of path segments.
//
// Each node has its literal children, at most one child for a parameter, and the routes that end there: those of templates, which need the
// path to end there too, and those of prefixes. A lookup walks down, literal before parameter, and on the way back meets the
// prefixes from the longest to the shortest; so the most specific pattern wins whatever the order of the configuration, and the
// cost depends on the length of the path, not on the number of routes. A pattern whose routes do not take the host or the method does
// not end the search; only when nothing else is found does a method that did not fit become a 405.

/// A route with what a lookup compares already taken apart.
final class CompiledRoute: Sendable {
    let route: Route
    let clusters: ClusterChoice
    let host: [UInt8]?
    let rewrite: PathRewrite?

    init(_ route: Route, clusters: ClusterChoice, segments: Int) {
        self.route = route
        self.clusters = clusters
        self.host = route.host.map { Array($0.lowercased().utf8) }
        let replaced =
            switch route.path {
            case .prefix: segments
            case .template: Int.max
            }
        rewrite =
            switch route.target {
            case .redirect(let redirect): PathRewrite(redirect.location, segments: replaced)
            default: route.rewrite.map { PathRewrite($0, segments: replaced) }
            }
    }

    func allows(upgrade: String) -> Bool {
        route.upgrades.contains { $0.lowercased() == upgrade.lowercased() }
    }

    func takes(_ head: RequestHead) -> Bool {
        route.headers.allSatisfy { match in
            guard let value = head.first(match.name) else { return false }
            return match.value.map { $0 == value } ?? true
        }
    }
}

struct RouteTable: Sendable {
    enum Lookup: Sendable {
        case found(CompiledRoute)
        case notFound
        /// Routes take this path, but not with this method; these methods they take.
        case methodNotAllowed(Set<String>)
    }

    private struct Node: Sendable {
        var literals: [(segment: [UInt8], node: Int)] = []
        var parameter: Int?
        var complete: [CompiledRoute] = []
        var prefix: [CompiledRoute] = []
    }

    private static let maximumSegments = 64

    private var nodes = [Node()]
    private let blocked: [[[UInt8]]]

    /// - Throws: `ProxyConfigurationError` naming the route that is wrong.
    init(_ configuration: ProxyConfiguration) throws(ProxyConfigurationError) {
        var clusters: [String: Int] = [:]
        for (index, cluster) in configuration.clusters.enumerated() {
            guard clusters.updateValue(index, forKey: cluster.name) == nil else {
                throw ProxyConfigurationError("cluster \(cluster.name) is there twice")
            }
            guard !cluster.endpoints.isEmpty else { throw ProxyConfigurationError("cluster \(cluster.name) has no endpoint") }
            guard cluster.connections.maximumConnections > 0 else {
                throw ProxyConfigurationError("cluster \(cluster.name) allows no connection")
            }
        }
        blocked = configuration.blockedPathPrefixes.map { Self.segments(of: $0.lowercased()) }
        var names: Set<String> = []
        for route in configuration.routes {
            if let cors = route.cors, cors.allowsCredentials, cors.origins.contains("*") {
                throw ProxyConfigurationError("route \(route.name): credentials cannot be allowed to all origins")
            }
            guard names.insert(route.name).inserted else { throw ProxyConfigurationError("route \(route.name) is there twice") }
            try insert(route, ClusterChoice(of: route, clusters))
        }
    }

    private mutating func insert(_ route: Route, _ clusters: ClusterChoice) throws(ProxyConfigurationError) {
        let text: String
        let isPrefix: Bool
        switch route.path {
        case .prefix(let path): (text, isPrefix) = (path, true)
        case .template(let path): (text, isPrefix) = (path, false)
        }
        guard text.utf8.first == .slash else { throw ProxyConfigurationError("route \(route.name): the path must start with /") }
        let segments = Self.segments(of: text)
        guard segments.count <= Self.maximumSegments else {
            throw ProxyConfigurationError("route \(route.name): the path is too long")
        }
        let compiled = CompiledRoute(route, clusters: clusters, segments: segments.count)
        var node = 0
        for segment in segments {
            let braces = segment.filter { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }.count
            guard braces == 0 || (braces == 2 && Self.isParameter(segment) && segment.count > 2) else {
                throw ProxyConfigurationError("route \(compiled.route.name): a parameter is a whole segment, such as {id}")
            }
            node = child(of: node, for: segment)
        }
        let others = isPrefix ? nodes[node].prefix : nodes[node].complete
        if let twin = others.first(where: {
            $0.host == compiled.host && Self.overlap($0.route.methods, compiled.route.methods)
                && Set($0.route.headers) == Set(compiled.route.headers)
        }) {
            throw ProxyConfigurationError("routes \(twin.route.name) and \(compiled.route.name) take the same requests")
        }
        // Routes for one host, with named fields or for named methods come before those for all. Else their order stays.
        let place = others.firstIndex { Self.specificity($0) < Self.specificity(compiled) } ?? others.endIndex
        var sorted = others
        sorted.insert(compiled, at: place)
        if isPrefix { nodes[node].prefix = sorted } else { nodes[node].complete = sorted }
    }

    private mutating func child(of parent: Int, for segment: [UInt8]) -> Int {
        let isParameter = Self.isParameter(segment)
        if isParameter, let existing = nodes[parent].parameter { return existing }
        if !isParameter, let existing = nodes[parent].literals.first(where: { $0.segment == segment }) { return existing.node }
        nodes.append(Node())
        let index = nodes.count - 1
        if isParameter { nodes[parent].parameter = index } else { nodes[parent].literals.append((segment, index)) }
        return index
    }

    private static func isParameter(_ segment: [UInt8]) -> Bool {
        segment.first == UInt8(ascii: "{") && segment.last == UInt8(ascii: "}")
    }

    /// Two routes at one place are in conflict only if neither is the more specific one.
    private static func overlap(_ one: Set<String>?, _ other: Set<String>?) -> Bool {
        switch (one, other) {
        case (nil, nil): true
        case (let one?, let other?): !one.isDisjoint(with: other)
        default: false
        }
    }

    private static func specificity(_ route: CompiledRoute) -> Int {
        (route.host == nil ? 0 : 1 << 16) + route.route.headers.count * 2 + (route.route.methods == nil ? 0 : 1)
    }

    private static func segments(of path: String) -> [[UInt8]] {
        path.utf8.split(separator: .slash).map(Array.init)
    }
}

// MARK: Looking up

extension RouteTable {
    /// The route for a request. `path` is in normal form, `host` is the `Host` field's value.
    ///
    /// - Parameter takes: whether the request has the fields that a route asks for.
    func lookup(
        method: String, host: UnsafeRawBufferPointer?, path: UnsafeRawBufferPointer, takes: (CompiledRoute) -> Bool
    ) -> Lookup {
        if isBlocked(path) { return .notFound }
        var search = Search(method: method, host: host.map(Self.withoutPort), path: path)
        if let route = find(from: 0, at: 1, depth: 0, &search, takes) { return .found(route) }
        return search.allowed.isEmpty ? .notFound : .methodNotAllowed(search.allowed)
    }

    private struct Search {
        let method: String
        let host: UnsafeRawBufferPointer?
        let path: UnsafeRawBufferPointer
        var allowed: Set<String> = []
    }

    /// `start`: where the next segment begins; past the end when there is none.
    private func find(
        from index: Int, at start: Int, depth: Int, _ search: inout Search, _ takes: (CompiledRoute) -> Bool
    ) -> CompiledRoute? {
        let path = search.path
        if start >= path.count {
            // A path that ends in a slash is not the template without it.
            let isComplete = path.count == 1 || start > path.count
            if isComplete, let route = choose(nodes[index].complete, &search, takes) { return route }
        } else if depth < Self.maximumSegments {
            var end = start
            while end < path.count, path[end] != .slash { end += 1 }
            let segment = UnsafeRawBufferPointer(rebasing: path[start..<end])
            for child in nodes[index].literals where child.segment.count == segment.count && child.segment.elementsEqual(segment) {
                if let route = find(from: child.node, at: end + 1, depth: depth + 1, &search, takes) { return route }
            }
            if let parameter = nodes[index].parameter, let route = find(from: parameter, at: end + 1, depth: depth + 1, &search, takes) {
                return route
            }
        }
        return choose(nodes[index].prefix, &search, takes)
    }

    private func choose(_ routes: [CompiledRoute], _ search: inout Search, _ takes: (CompiledRoute) -> Bool) -> CompiledRoute? {
        for compiled in routes {
            if let host = compiled.host {
                guard let given = search.host, given.equalsIgnoringCase(host) else { continue }
            }
            guard compiled.route.headers.isEmpty || takes(compiled) else { continue }
            guard let methods = compiled.route.methods else { return compiled }
            if methods.contains(search.method) { return compiled }
            search.allowed.formUnion(methods)
        }
        return nil
    }

    private func isBlocked(_ path: UnsafeRawBufferPointer) -> Bool {
        for prefix in blocked {
            var start = 1
            var matched = 0
            while matched < prefix.count, start <= path.count {
                var end = start
                while end < path.count, path[end] != .slash { end += 1 }
                // Path parameters do not make it another segment for everyone.
                let name = path[start..<end].prefix { $0 != .semicolon }
                guard UnsafeRawBufferPointer(rebasing: name).equalsIgnoringCase(prefix[matched]) else { break }
                matched += 1
                start = end + 1
            }
            if matched == prefix.count { return true }
        }
        return false
    }

    static func withoutPort(_ host: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard let colon = host.lastIndex(of: .colon), !host[colon...].contains(0x5D) else { return host }
        return UnsafeRawBufferPointer(rebasing: host[..<colon])
    }
}
