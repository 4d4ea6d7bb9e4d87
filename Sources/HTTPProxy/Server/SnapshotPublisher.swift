import Logging
import NIOCore

// Decides which snapshot is in force, and gives it to all event loops.
//
// Two things change a snapshot: a new configuration, and names that stand for other addresses. Both are decided on the first event loop, one after
// the other, so every loop sees the same snapshots in the same order. A new configuration first waits for the addresses of its new names
// (`NameWatch.begin`); those that come meanwhile wait for it, so that the last one given is the one that stays. Changes of addresses do not
// wait: they are put into whatever is in force.

final class SnapshotPublisher {
    private let loops: [NIOLoopBound<ProxyLoop>]
    private let first: ProxyLoop
    private let watch: NameWatch
    /// Completes when the last configuration that was given is in force.
    private var last: EventLoopFuture<Void>

    /// On the first one of `loops`.
    init(_ loops: [NIOLoopBound<ProxyLoop>], first: ProxyLoop, resolver: NameResolver) {
        self.loops = loops
        self.first = first
        let receiver = EventReceiver()
        watch = NameWatch(
            eventLoop: first.eventLoop, resolver: resolver, fraction: { first.identifiers.nextFraction() },
            report: { receiver.publisher?.note($0, of: $1) })
        last = first.eventLoop.makeSucceededVoidFuture()
        receiver.publisher = self
    }

    /// Breaks the circle of a watch that reports to its owner.
    private final class EventReceiver {
        weak var publisher: SnapshotPublisher?
    }

    /// Brings a configuration into force, as soon as its names have been looked up.
    /// - Returns: completes when all event loops serve by it.
    func replace(with compiled: ProxySnapshot) -> EventLoopFuture<Void> {
        last = last.assumeIsolated().flatMap {
            self.watch.begin(compiled.lookups)
        }.flatMap {
            self.watch.keep(compiled.lookups)
            return self.publish(compiled)
        }.nonisolated()
        return last
    }

    /// An address of the name leads nowhere.
    func hurry(_ name: String) { watch.hurry(name) }

    func stop() { watch.stop() }

    private func publish(_ compiled: ProxySnapshot) -> EventLoopFuture<Void> {
        let snapshot = ProxySnapshot(compiled, addresses: watch.addresses, after: first.snapshot)
        first.adopt(snapshot)
        let adoptions = loops.filter { $0.eventLoop !== first.eventLoop }.map { bound in
            bound.eventLoop.submit { bound.value.adopt(snapshot) }
        }
        return .andAllSucceed(adoptions, on: first.eventLoop)
    }

    // MARK: Names

    private func note(_ event: NameWatch.Event, of name: String) {
        let clusters = first.snapshot.configuration.clusters.filter { $0.names.contains(name) }
        switch event {
        case .changed(let addresses):
            first.logger.info("name looked up", metadata: ["name": "\(name)", "addresses": "\(addresses)"])
            // One that only a configuration to come has waits for that.
            if !clusters.isEmpty { publishAddresses() }
        case .failed(let reason, let isNews):
            if isNews { first.logger.warning("name cannot be looked up", metadata: ["name": "\(name)", "reason": "\(reason)"]) }
            for cluster in clusters { first.report(.lookupFailed(name: name), of: cluster.name) }
        case .confirmed:
            first.logger.info("name can be looked up again", metadata: ["name": "\(name)"])
        }
    }

    private func publishAddresses() {
        let old = first.snapshot
        _ = publish(old)
        for (index, cluster) in old.configuration.clusters.enumerated() where old.health[index] !== first.snapshot.health[index] {
            let (before, now) = (old.health[index].endpoints.map(\.endpoint), first.snapshot.health[index].endpoints.map(\.endpoint))
            let change = ProxyIncident.addressesChanged(
                came: now.filter { !before.contains($0) }, went: before.filter { !now.contains($0) })
            first.report(change, of: cluster.name)
        }
    }
}
