import Chassis
import HTTPProxy
import NIOCore

// The configuration as it is in force, told in the words of the file: every key that has a value, also where the file says nothing and it is
// the default. As JSON is YAML, what is told could be a file itself, but for what is secret in it: of fields that requests must have only the
// names are told, for such a value is often what a proxy before this one proves itself by.

extension GatewayConfiguration {
    var document: OrderedJSON {
        let document: OrderedJSON = .members([
            "trustedProxies": .texts(trustedProxies.map(\.description)),
            "clients": limits.document,
            "tls": tls.map { tls in
                .members([
                    "certificate": .string(tls.certificateFile), "privateKey": .string(tls.privateKeyFile),
                    "clientAuthorities": tls.clientAuthoritiesFile.map(OrderedJSON.string),
                ])
            },
            "http2": http2.document,
            "cache": ["megabytes": .number(cacheBytes >> 20)],
            "clusters": .array(clusters.map(\.document)),
            "routes": .array(routes.map(\.document)),
        ])
        return document.mapTexts(secrets.redacting)
    }
}

// MARK: - Clients

extension ProxyLimits {
    fileprivate var document: OrderedJSON {
        [
            "maximumHeadBytes": .number(maximumHeadBytes), "maximumHeaderFields": .number(maximumHeaderFields),
            "headSeconds": .seconds(headTimeout), "keepAliveSeconds": .seconds(idleTimeout),
        ]
    }
}

extension HTTP2Options {
    fileprivate var document: OrderedJSON {
        [
            "enabled": .bool(isEnabled), "cleartext": .bool(isCleartextAllowed), "maximumStreams": .number(maximumConcurrentStreams),
        ]
    }
}

// MARK: - Clusters

extension Cluster {
    fileprivate var document: OrderedJSON {
        let scheme = tls == nil ? "http" : "https"
        return .members([
            "name": .string(name),
            "endpoints": .texts(endpoints.map { "\(scheme)://\($0)" }),
            "resolve": resolution?.document ?? ["enabled": .bool(false)],
            "tls": tls?.document,
            "balancing": .string(balancing.names.balancing),
            "hashBy": balancing.names.key.map(OrderedJSON.string),
            "connectSeconds": .seconds(connections.connectTimeout),
            "maximumConnections": .number(connections.maximumConnections),
            "maximumWaitSeconds": .seconds(connections.maximumWait),
            "overloadedWaitSeconds": .seconds(connections.overloadedWait),
            "outlierDetection": outlierDetection?.document ?? ["enabled": .bool(false)],
            "healthCheck": healthCheck?.document,
            "breaker": breaker?.document ?? ["enabled": .bool(false)],
        ])
    }
}

extension NameResolution {
    fileprivate var document: OrderedJSON {
        ["enabled": .bool(true), "everySeconds": .seconds(interval), "family": .string(family.rawValue)]
    }
}

extension UpstreamTLS {
    fileprivate var document: OrderedJSON {
        .members([
            "authorities": authoritiesFile.map(OrderedJSON.string), "serverName": serverName.map(OrderedJSON.string),
            "certificate": certificateFile.map(OrderedJSON.string), "privateKey": privateKeyFile.map(OrderedJSON.string),
        ])
    }
}

extension LoadBalancing {
    fileprivate var names: (balancing: String, key: String?) {
        switch self {
        case .leastRequest: ("leastRequest", nil)
        case .roundRobin: ("roundRobin", nil)
        case .consistentHash(.address): ("hash", "address")
        case .consistentHash(.user): ("hash", "user")
        case .consistentHash(.path): ("hash", "path")
        case .consistentHash(.header(let name)): ("hash", "header:\(name)")
        }
    }
}

extension OutlierDetection {
    fileprivate var document: OrderedJSON {
        [
            "enabled": .bool(true), "consecutiveFailures": .number(consecutiveFailures), "baseSeconds": .seconds(baseTime),
            "maximumSeconds": .seconds(maximumTime), "maximumPercent": .number(maximumPercent),
        ]
    }
}

extension HealthCheck {
    fileprivate var document: OrderedJSON {
        [
            "path": .string(path), "intervalSeconds": .seconds(interval), "timeoutSeconds": .seconds(timeout),
            "unhealthyAfter": .number(unhealthyAfter), "healthyAfter": .number(healthyAfter),
        ]
    }
}

extension BreakerLimits {
    fileprivate var document: OrderedJSON {
        [
            "enabled": .bool(true), "minimumRequests": .number(minimumRequests), "failurePercent": .number(failurePercent),
            "consecutiveConnectFailures": .number(consecutiveConnectFailures), "openSeconds": .seconds(firstOpenTime),
            "maximumOpenSeconds": .seconds(maximumOpenTime),
        ]
    }
}
