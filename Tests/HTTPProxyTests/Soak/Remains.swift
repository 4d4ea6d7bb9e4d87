import NIOCore

@testable import HTTPProxy

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What a proxy at rest, and the process that it is in, hold.
struct Remains {
    /// Objects of the data plane, of each kind.
    let alive: [Life.Kind: Int]
    let openFiles: Int
    let residentBytes: Int

    /// - Parameter isAlone: nothing else happens in the process, so that its files can be counted.
    static func of(_ proxy: ProxyServer, isAlone: Bool) async throws -> Remains {
        // The last objects of a closed connection go when its channel is taken apart, some turns of its event loop later. What has leaked does not
        // go in any number of turns.
        var alive = Census.alive(on: proxy.loops.map(\.eventLoop))
        for _ in 0..<100_000 where !alive.isEmpty {
            _ = try await proxy.status()
            alive = Census.alive(on: proxy.loops.map(\.eventLoop))
        }
        // Both ends of a closed connection are this process's: it rests when two looks, with a round through all event loops between them, see the same.
        var files = -1
        while isAlone, files != countOpenFiles() {
            files = countOpenFiles()
            for _ in 0..<1_000 { _ = try await proxy.status() }
        }
        return Remains(alive: alive, openFiles: files, residentBytes: countResidentBytes())
    }

    private static func countOpenFiles() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count
    }

    private static func countResidentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, 128, file) != nil else { return 0 }
        let words = line.prefix { $0 != 0 }.split(separator: 0x20).map { String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self) }
        return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
    }
}

/// Weak references to what every connection and every exchange of a proxy holds on to: its event loops' state, and its pools.
final class LiveState: Sendable {
    // Weak references are read and written atomically; these are written once, before anybody reads them.
    private final class Reference: @unchecked Sendable {
        weak var object: AnyObject?

        init(_ object: AnyObject) { self.object = object }
    }

    private let references: [Reference]

    var isAlive: Bool { references.contains { $0.object != nil } }

    init(_ proxy: ProxyServer) async throws {
        var references: [Reference] = []
        for bound in proxy.loops {
            references += try await bound.eventLoop.submit {
                [Reference(bound.value)] + bound.value.clusters.flatMap(\.pools).map { Reference($0) }
            }.get()
        }
        self.references = references
    }
}
