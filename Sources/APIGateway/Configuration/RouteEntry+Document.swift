import Chassis
import HTTPProxy
import NIOCore
import NIOHTTP1

/// A route as the file would tell of it; see `GatewayConfiguration.document`.
extension GatewayConfiguration.RouteEntry {
    var document: OrderedJSON {
        .members([
            "name": .string(name),
            "host": host.map(OrderedJSON.string),
            "methods": methods.map { .texts($0.sorted()) },
            "headers": headers.isEmpty ? nil : .object(headers.map { .init(name: $0.name, value: .string($0.redactedValue)) }),
            "path": .string(path.names.path),
            "exact": .bool(path.names.isExact),
            "rewrite": rewrite.map(OrderedJSON.string),
            "cluster": target.cluster.map(OrderedJSON.string),
            "split": target.split.map { .array($0.shares.map { ["cluster": .string($0.cluster), "weight": .number($0.weight)] }) },
            "pinnedBy": target.split?.pinnedBy.map(OrderedJSON.string),
            "redirect": target.redirect.map { ["to": .string($0.location), "status": .number($0.status)] },
            "respond": target.response?.document,
            "authentication": .string(authentication.rawValue),
            "roles": roles.map { .texts($0.map(\.rawValue).sorted()) },
            "identityHeaders": .bool(namesUser),
            "totalSeconds": .seconds(timeouts.total ?? .zero),
            "firstByteSeconds": .seconds(timeouts.firstByte ?? .zero),
            "idleSeconds": .seconds(timeouts.idle ?? .zero),
            "upgrades": .texts(upgrades.sorted()),
            "cors": cors?.document,
            "securityHeaders": .bool(addsSecurityHeaders),
            "compression": compression?.document ?? ["enabled": .bool(false)],
            "cache": cache.map { ["enabled": .bool(true), "maximumBodyBytes": .number($0.maximumBodyBytes)] } ?? ["enabled": .bool(false)],
            "retries": retries.document,
            "maximumBodyBytes": .number(maximumBodyBytes),
            "rateLimits": .array(rateLimits.map(\.document)),
        ])
    }
}

extension Compression {
    fileprivate var document: OrderedJSON {
        ["enabled": .bool(true), "minimumBytes": .number(minimumBytes), "level": .number(level)]
    }
}

extension HeaderMatch {
    /// Empty where any value will do.
    fileprivate var redactedValue: String { value == nil ? "" : Redaction.placeholder }
}

extension PathPattern {
    fileprivate var names: (path: String, isExact: Bool) {
        switch self {
        case .prefix(let path): (path, false)
        case .template(let path): (path, true)
        }
    }
}

extension RouteTarget {
    fileprivate var cluster: String? {
        if case .cluster(let name) = self { name } else { nil }
    }

    fileprivate var split: WeightedSplit? {
        if case .split(let split) = self { split } else { nil }
    }

    fileprivate var redirect: Redirect? {
        if case .redirect(let redirect) = self { redirect } else { nil }
    }

    fileprivate var response: LocalResponse? {
        if case .fixed(let response) = self { response } else { nil }
    }
}

extension LocalResponse {
    fileprivate var document: OrderedJSON {
        [
            "status": .number(Int(status.code)), "contentType": .text(headers.first(name: "content-type")),
            "text": .string(String(buffer: body)),
        ]
    }
}

extension CORS {
    fileprivate var document: OrderedJSON {
        [
            "origins": .texts(origins.sorted()), "methods": .texts(methods), "headers": .texts(headers),
            "exposedHeaders": .texts(exposedHeaders), "credentials": .bool(allowsCredentials), "maximumAgeSeconds": .seconds(maximumAge),
        ]
    }
}

extension RetryPolicy {
    fileprivate var document: OrderedJSON {
        [
            "count": .number(retries), "statuses": .array(statuses.sorted().map(OrderedJSON.number)),
            "maximumBodyBytes": .number(maximumBodyBytes), "firstPauseSeconds": .seconds(firstPause),
            "longestPauseSeconds": .seconds(longestPause),
        ]
    }
}

extension RateLimit {
    var document: OrderedJSON {
        [
            "name": .string(name), "requests": .number(quota), "seconds": .seconds(window), "burst": .number(burst),
            "by": .string(key.rawValue),
        ]
    }
}
