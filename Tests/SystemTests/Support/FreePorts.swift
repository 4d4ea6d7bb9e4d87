import Foundation

/// Ports that nobody listens on.
enum FreePorts {
    /// How many ports a shop takes from its base on.
    private static let count = 10

    /// A base of free ports below the range from which the system takes ports for others.
    static func base() throws -> Int {
        for _ in 0..<100 {
            let base = Int.random(in: 15_000...31_000)
            if (base..<base + count).allSatisfy(isFree) { return base }
        }
        throw NotInTime(description: "no free ports were found")
    }

    private static func isFree(_ port: Int) -> Bool {
        #if canImport(Glibc)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
