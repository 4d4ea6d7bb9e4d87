import Chassis
import Contracts
import NIOCore

/// All the links of a shop.
struct Links: Sendable {
    private let links: [Link: FaultyLink]
    /// Where each listens.
    let ports: [Link: Int]

    /// - Parameter portBase: that of the shop whose services they lead to.
    static func between(_ all: [Link], portBase: Int, on group: any EventLoopGroup) async throws -> Links {
        var links: [Link: FaultyLink] = [:]
        var ports: [Link: Int] = [:]
        for link in all {
            let faulty = try FaultyLink(port: portBase + link.to.portOffset)
            ports[link] = try await faulty.listen(on: group).localAddress?.port
            links[link] = faulty
        }
        return Links(links: links, ports: ports)
    }

    /// Holds a link in a condition for a while; the latest of overlapping conditions counts, until the first of them ends.
    func hold(_ link: Link, _ condition: FaultyLink.Condition, for duration: Duration) async throws {
        links[link]?.set(condition)
        try await Task.sleep(for: duration)
        links[link]?.set(.well)
    }
}
