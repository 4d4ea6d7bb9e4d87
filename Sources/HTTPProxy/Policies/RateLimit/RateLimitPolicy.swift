public import NIOCore
import NIOHTTP1

/// Answers 429 to whoever has asked too often, and tells everybody how often they may (draft-ietf-httpapi-ratelimit-headers-10).
///
/// Several limits hold together: a request counts when all of them grant it, and for none of them when one refuses.
public struct RateLimitPolicy: RequestPolicy {
    /// A limit, ready for requests.
    private struct Compiled: Sendable {
        let limit: RateLimit
        let rate: CellRate
        /// Tells its callers from those of other limits.
        let name: String
        /// The same for other proxies.
        let sharedName: String
    }

    private let limits: [Compiled]
    private let memory: RateLimitMemory
    private let typePrefix: String
    private let clock: @Sendable () -> NIODeadline
    private let onRefusal: @Sendable (_ limit: String) -> Void
    /// `RateLimit-Policy`, the same in every answer.
    private let policies: String

    /// - Parameters:
    ///   - route: limits of two routes are two limits, also when they have the same name.
    ///   - memory: what was counted: one for all routes, kept when the configuration changes.
    ///   - typePrefix: see `ProblemDocument.response(typePrefix:instance:)`.
    ///   - onRefusal: told the limit's name of each refusal, for metrics.
    public init(
        _ limits: [RateLimit], of route: String, memory: RateLimitMemory, typePrefix: String,
        clock: @escaping @Sendable () -> NIODeadline = { .now() }, onRefusal: @escaping @Sendable (_ limit: String) -> Void = { _ in }
    ) {
        self.limits = limits.map { limit in
            let rate = CellRate(quota: limit.quota, windowNanoseconds: limit.window.nanoseconds, burst: limit.burst)
            let name = "\(route)/\(limit.name)"
            return Compiled(
                limit: limit, rate: rate, name: name, sharedName: "\(name)/\(rate.interval)/\(rate.burst)/\(limit.key.rawValue)")
        }
        self.memory = memory
        self.typePrefix = typePrefix
        self.clock = clock
        self.onRefusal = onRefusal
        policies = limits.map { "\"\($0.name)\";q=\($0.quota);w=\(Self.seconds($0.window.nanoseconds))" }.joined(separator: ", ")
    }

    public func decide(_ request: inout RequestContext, on eventLoop: any EventLoop) -> PolicyDecision {
        let now = RateLimitMemory.nanoseconds(clock())
        var state = ""
        for (index, limit) in limits.enumerated() {
            let asker = Asker(request, by: limit.limit.key)
            let decision = memory.arrivals.take(limit.rate, of: asker.hash(limit.name), now: now) { asker.shared(limit.sharedName) }
            guard decision.isGranted else {
                for earlier in limits[..<index] {
                    let asker = Asker(request, by: earlier.limit.key)
                    memory.arrivals.giveBack(earlier.rate, of: asker.hash(earlier.name), now: now) { asker.shared(earlier.sharedName) }
                }
                onRefusal(limit.limit.name)
                return .answer(refusal(of: request, by: limit.limit, decision))
            }
            state += (index == 0 ? "" : ", ") + Self.state(of: limit.limit, decision)
        }
        request.changes.addResponse(checked: "RateLimit-Policy", policies)
        request.changes.addResponse(checked: "RateLimit", state)
        return .next
    }

    // MARK: What is said

    private func refusal(of request: RequestContext, by limit: RateLimit, _ decision: CellRate.Decision) -> LocalResponse {
        let seconds = Self.seconds(decision.nanosecondsUntilNext)
        var problem = ProblemDocument(
            status: .tooManyRequests, name: "quota-exceeded",
            sentence: "Too many requests: try again in \(seconds) second\(seconds == 1 ? "" : "s")",
            headers: [
                "Retry-After": "\(seconds)", "RateLimit-Policy": policies, "RateLimit": Self.state(of: limit, decision),
            ])
        problem.violatedPolicies = [limit.name]
        return problem.response(typePrefix: typePrefix, instance: request.path)
    }

    /// What is left, and for how long: until it is whole again, or when nothing is left until there is one.
    private static func state(of limit: RateLimit, _ decision: CellRate.Decision) -> String {
        let time = decision.isGranted ? decision.nanosecondsUntilWhole : decision.nanosecondsUntilNext
        return "\"\(limit.name)\";r=\(decision.remaining);t=\(seconds(time))"
    }

    /// Whole seconds, rounded up: whoever waits so long has waited long enough.
    private static func seconds(_ nanoseconds: Int64) -> Int64 { (nanoseconds + 999_999_999) / 1_000_000_000 }
}

/// Who asks, as a limit counts.
private enum Asker {
    case name(String)
    case network(ClientNetwork)

    init(_ request: RequestContext, by key: RateLimit.Key) {
        let name: String? =
            switch key {
            case .route: ""
            case .address: nil
            case .user: request.user
            case .token: request.head.first("authorization")
            }
        self = name.map(Asker.name) ?? .network(ClientNetwork(of: request.clientAddress))
    }

    /// Differs from process to process, so that nobody can choose it.
    func hash(_ limit: String) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(limit)
        switch self {
        case .name(let name): hasher.combine(name)
        case .network(let network): hasher.combine(network)
        }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    func shared(_ limit: String) -> SharedCaller {
        switch self {
        case .name(let name): SharedCaller(limit: limit, caller: "name \(name)")
        case .network(let network): SharedCaller(limit: limit, caller: "network \(network)")
        }
    }
}

/// What counts as one caller among addresses: an IPv4 address, or the first 64 bits of an IPv6 one.
struct ClientNetwork: Hashable, Sendable, CustomStringConvertible {
    private let bytes: [UInt8]

    init(of address: String) {
        guard let found = AddressRange.addressBytes(address) else {
            bytes = Array(address.utf8)
            return
        }
        bytes = found.count == 16 ? Array(found[..<8]) : found
    }

    var description: String { bytes.map { "\($0)" }.joined(separator: ".") }
}
