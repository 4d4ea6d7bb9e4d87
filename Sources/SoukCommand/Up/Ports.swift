import Foundation

/// Whether ports are free, asked of the system itself.
enum Ports {
    /// Those of `ports` that something listens on already.
    static func inUse(_ ports: [Int], host: String) -> [Int] {
        ports.filter { !isFree($0, host: host) }
    }

    /// A base from which the ports of a shop are free, below the range from which systems take ports for outgoing connections; nil when there
    /// seems to be none.
    static func freeBase(host: String) -> Int? {
        for _ in 0..<100 {
            let base = Int.random(in: 15_000...31_000)
            if inUse(Fleet.ports(from: base), host: host).isEmpty { return base }
        }
        return nil
    }

    private static func isFree(_ port: Int, host: String) -> Bool {
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, stream, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // As servers do: a port whose last connections are still dying counts as free.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = inet_addr(host)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
