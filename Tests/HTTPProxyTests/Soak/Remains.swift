import NIOCore

@testable import HTTPProxy

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What the process of a proxy at rest holds.
struct Remains {
    let openFiles: Int
    let residentBytes: Int

    /// Waits until no connection, stream, exchange or timer of a proxy is alive. The last objects of a closed connection go when its channel is taken
    /// apart, some turns of its event loop later; what has leaked never goes.
    ///
    /// - Throws: `NeverHappened`, with what is alive.
    static func none(of proxy: ProxyServer) async throws {
        var alive: [Life.Kind: Int] = [:]
        try await eventually(state: "Alive: \(alive)") {
            alive = Census.alive(on: proxy.loops.map(\.eventLoop))
            return alive.isEmpty
        }
    }

    /// What is left in the process, in which nothing else may happen. Both ends of a closed connection are this process's: it rests when two looks, with
    /// rounds through all event loops between them, see the same.
    static func ofProcess(with proxy: ProxyServer) async throws -> Remains {
        var files = -1
        try await eventually(state: "Open files: \(files)") {
            let before = files
            for _ in 0..<1_000 { _ = try await proxy.status() }
            files = countOpenFiles()
            return files == before
        }
        return Remains(openFiles: files, residentBytes: countResidentBytes())
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

    /// The types of what is still there.
    var alive: [String] { references.compactMap { $0.object.map { "\(type(of: $0))" } } }

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
