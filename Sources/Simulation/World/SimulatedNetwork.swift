import Chassis
import Contracts
import Foundation
import HTTPTypes
import Synchronization

/// The network between processes: it loses requests and replies, delivers some of them twice or late, and breaks connections when a process dies.
final class SimulatedNetwork: Sendable {
    private let world: World
    private let processes = Mutex<[ServiceName: SimulatedProcess]>([:])
    /// What user-service, which is not simulated, would answer for its keys.
    private let keys: Data

    init(_ world: World, keys: Data) {
        self.world = world
        self.keys = keys
    }

    func connect(_ process: SimulatedProcess) {
        processes.withLock { $0[process.name] = process }
    }

    /// Takes everybody off. Network and processes know each other, so that neither would ever be freed.
    func close() {
        processes.withLock { $0 = [:] }
    }

    /// The network as one incarnation sees it; nil for customers, who never die.
    func transport(of sender: Incarnation?) -> HTTPTransport {
        HTTPTransport { request, timeout async throws(TransportError) in
            guard sender?.isAlive != false else { throw .cancelled }
            let answer = await self.exchange(request, timeout)
            guard sender?.isAlive != false else { throw .cancelled }
            return try answer.get()
        }
    }

    private func exchange(_ request: OutboundRequest, _ timeout: Duration) async -> Incarnation.Answer {
        if request.url.hasSuffix("/.well-known/jwks.json") {
            return .success(InboundResponse(status: .ok, headers: [.contentType: "application/json"], body: keys))
        }
        guard let process = process(at: request.url) else { return .failure(.notConnected) }
        let promise = Promise<Incarnation.Answer>()
        let limit = world.clock.after(timeout) { promise.fulfil(.failure(.timedOut)) }
        world.start { await self.deliver(request, to: process, promise) }
        let answer = await withTaskCancellationHandler {
            await promise.value
        } onCancel: {
            promise.fulfil(.failure(.cancelled))
        }
        world.clock.cancel(limit)
        return answer
    }

    private func deliver(_ request: OutboundRequest, to process: SimulatedProcess, _ promise: Promise<Incarnation.Answer>) async {
        let what = "\(request.method.rawValue) \(Self.path(of: request.url)) to \(process.name.rawValue)"
        guard !strikes(.requestLost, what) else { return }
        if strikes(.requestDelayed, what) {
            try? await world.clock.sleep(for: world.generator.duration(in: .milliseconds(10)...(.seconds(8))))
        }
        if strikes(.requestRepeated, what) {
            world.start {
                try? await self.world.clock.sleep(for: self.world.generator.duration(in: .zero...(.seconds(5))))
                _ = await process.alive?.answer(request)
            }
        }
        guard let incarnation = process.alive else { return promise.fulfil(.failure(.notConnected)) }
        let answer = await incarnation.answer(request)
        guard !strikes(.replyLost, what) else {
            // A connection that breaks is noticed at once; one that falls silent only by its timeout.
            if world.generator.chance(0.5) { promise.fulfil(.failure(.interrupted)) }
            return
        }
        promise.fulfil(answer)
    }

    private func strikes(_ point: FaultPoint, _ what: String) -> Bool {
        guard world.faults.strikes(point) else { return false }
        world.trace.note("\(point.rawValue): \(what)")
        return true
    }

    private func process(at url: String) -> SimulatedProcess? {
        let port = url.split(separator: "/").dropFirst().first?.split(separator: ":").last.flatMap { Int($0) }
        return processes.withLock { processes in
            processes.first { ServiceSettings.standardPortBase + $0.key.portOffset == port }?.value
        }
    }

    static func path(of url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)
        return "/" + (parts.count > 2 ? parts[2].prefix { $0 != "?" } : "")
    }
}
