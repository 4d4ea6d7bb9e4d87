import Logging
import NIOCore
import NIOHTTP1

// What happens before the exchange has a direction: the route, its limits, its policies, its target.

extension ExchangeDriver {
    /// Finds the route, asks its policies and sends the request on its way, or answers it.
    func start() {
        loop.activeRequests += 1
        let head = context.head
        if let preflight = head.preflight, case .found(let compiled) = lookup(preflight.method), let cors = compiled.route.cors {
            adopt(compiled)
            answer(cors.preflight(from: preflight.origin))
            return
        }
        switch lookup(head.method) {
        case .notFound: handle(.refuse(.notFound))
        case .methodNotAllowed(let methods): refuseMethod(methods)
        case .found(let compiled):
            adopt(compiled)
            cluster = compiled.clusters.choose(for: head) { loop.identifiers.next() }.map { loop.clusters[$0] }
            addResponseFields(of: compiled)
            if case .length(let length) = head.framing, length > compiled.route.maximumBodyBytes {
                handle(.refuse(.bodyTooLarge))
            } else {
                runPolicies(from: 0)
            }
        }
    }

    private func lookup(_ method: String) -> RouteTable.Lookup {
        let head = context.head
        return head.withPathBytes { path in
            head.bytes.withUnsafeReadableBytes { bytes in
                snapshot.table.lookup(method: method, host: head.facts.host.map { bytes[part: $0] }, path: path) { $0.takes(head) }
            }
        }
    }

    /// The compiled route, not the route itself, which would be copied with all it has.
    private func addResponseFields(of compiled: CompiledRoute) {
        if let cors = compiled.route.cors { cors.apply(to: &context.changes, origin: context.head.first("origin")) }
        guard compiled.route.addsSecurityHeaders else { return }
        context.changes.responseDefaults = SecurityHeaders.fields
        if identity.scheme == .https { context.changes.responseDefaults.append(SecurityHeaders.strictTransport) }
    }

    private func refuseMethod(_ methods: Set<String>) {
        var document = ProblemDocument(.methodNotAllowed)
        document.headers.add(name: "allow", value: methods.sorted().joined(separator: ", "))
        answer(document.response(typePrefix: snapshot.configuration.problemTypePrefix, instance: context.path))
    }

    private func runPolicies(from first: Int) {
        guard let policies = route?.route.policies else { return }
        var index = first
        while index < policies.count {
            let decision = policies[index].decide(&context, on: loop.eventLoop)
            guard passes(decision, index) else { return }
            index += 1
        }
        proceed()
    }

    /// Whether the next policy is to be asked now.
    private func passes(_ decision: PolicyDecision, _ index: Int) -> Bool {
        switch decision {
        case .next: return true
        case .nextChanging(let changes):
            context.changes.merge(changes)
            return true
        case .nextAs(let user, let changes):
            context.user = user
            context.changes.merge(changes)
            return true
        case .answer(let response):
            answer(response)
            return false
        case .wait(let future):
            whenKnown(future) { driver, decision in
                guard !driver.isFinished, driver.passes(decision, index) else { return }
                driver.runPolicies(from: index + 1)
            }
            return false
        }
    }

    private func proceed() {
        switch route?.route.target {
        case .cluster, .split: if snapshot.caches { proceedThroughCache() } else { handle(.forward) }
        case .redirect(let redirect): answer(response(of: redirect))
        case .fixed(let response): answer(response)
        case .handler(let handler):
            whenKnown(handler(context, loop.eventLoop)) { driver, response in driver.answer(response) }
        case nil: handle(.refuse(.notFound))
        }
    }

    private func response(of redirect: Redirect) -> LocalResponse {
        var location = ByteBuffer()
        location.writePieces { cursor in
            context.head.withPathBytes { route?.rewrite?.write($0, to: &cursor) }
            context.head.withQueryBytes { query in
                cursor.write(UInt8.questionMark)
                cursor.write(query)
            }
        }
        return LocalResponse(
            status: HTTPResponseStatus(statusCode: redirect.status), headers: ["location": String(buffer: location)])
    }

    /// Goes on with `body` on this event loop once the future has its value; its failure is the proxy's own, a 500.
    private func whenKnown<Value: Sendable>(
        _ future: EventLoopFuture<Value>, _ body: @escaping @Sendable (ExchangeDriver, Value) -> Void
    ) {
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop)
        future.hop(to: loop.eventLoop).whenComplete { result in
            let driver = bound.value
            switch result {
            case .success(let value): body(driver, value)
            case .failure(let error):
                driver.loop.logger.error(
                    "a policy or local handler failed",
                    metadata: ["route": "\(driver.context.routeName)", "request_id": "\(driver.context.requestID)", "error": "\(error)"])
                driver.handle(.refuse(.policyFailed))
            }
            driver.flush()
        }
    }

    /// Tells the observer how it ended.
    func record(isCut: Bool) {
        let observer = loop.observer
        guard observer.listens else { return }
        let totalNanoseconds = (NIODeadline.now() - startedAt).nanoseconds
        let routeName = route?.route.name
        if let measure = observer.exchange {
            measure(
                ExchangeMeasurement(
                    routeName: routeName, clusterName: cluster?.cluster.name, statusClass: status / 100, totalNanoseconds: totalNanoseconds,
                    requestBytes: requestBytes, responseBytes: responseBytes, cache: visit?.result))
        }
        guard let access = observer.access else { return }
        let outcome: ExchangeOutcome =
            if let failure { .failed(failure) } else if isCut { .clientGone } else if upstreamNanoseconds != nil { .proxied } else {
                .answered
            }
        access(
            AccessRecord(
                unixNanoseconds: startedUnixNanoseconds, method: context.head.method, path: context.path, routeName: routeName,
                clusterName: cluster?.cluster.name, status: status, requestBytes: requestBytes, responseBytes: responseBytes,
                totalNanoseconds: totalNanoseconds, upstreamNanoseconds: upstreamNanoseconds, upstreamEndpoint: pool?.endpoint,
                requestID: context.requestID, traceID: identity.trace.trace.text, clientAddress: context.clientAddress,
                version: client.version, outcome: outcome, cache: visit?.result))
    }
}
