import Chassis
import HTTPTypes
import Hummingbird
import Synchronization
import Testing

@testable import ProductService

@Suite("Kept catalog responses")
struct CatalogCacheTests {
    private let version = CatalogVersion()
    private let clock = TestClock()
    private let loads = LoadCount()

    private func cache(_ limits: CatalogCache.Limits = .init()) -> CatalogCache {
        CatalogCache(version: version, time: clock.source, limits: limits)
    }

    private func load(_ cache: CatalogCache, _ target: String, bytes: Int = 10) async throws -> String? {
        try await cache.response(for: target) { [loads] in
            Response(
                status: .ok, headers: [.eTag: "\(loads.increment())"],
                body: ResponseBody(byteBuffer: .init(repeating: 0, count: bytes)))
        }.headers[.eTag]
    }

    @Test("what is kept is not loaded again")
    func hit() async throws {
        let cache = cache()
        #expect(try await load(cache, "/a") == "1")
        #expect(try await load(cache, "/a") == "1")
        #expect(try await load(cache, "/b") == "2")
    }

    @Test("after a change of the catalog nothing older is given out")
    func invalidation() async throws {
        let cache = cache()
        _ = try await load(cache, "/a")
        version.advance()
        #expect(try await load(cache, "/a") == "2")
        #expect(try await load(cache, "/a") == "2")
    }

    @Test("what was loaded while the catalog changed is not kept")
    func changeWhileLoading() async throws {
        let cache = cache()
        _ = try await cache.response(for: "/a") { [version, loads] in
            _ = loads.increment()
            version.advance()
            return Response(status: .ok)
        }
        #expect(try await load(cache, "/a") == "2")
    }

    @Test("where others write too, an entry has a maximum age")
    func age() async throws {
        let cache = cache(.init(maximumAge: .seconds(1)))
        _ = try await load(cache, "/a")
        clock.advance(by: .milliseconds(999))
        #expect(try await load(cache, "/a") == "1")
        clock.advance(by: .milliseconds(1))
        #expect(try await load(cache, "/a") == "2")
    }

    @Test("a failure is not kept")
    func failure() async throws {
        let cache = cache()
        await #expect(throws: ProductError.notFound) { try await cache.response(for: "/a") { throw ProductError.notFound } }
        #expect(try await load(cache, "/a") == "1")
    }

    @Test("the number of entries is bounded, and what is used stays")
    func bounds() async throws {
        let cache = cache(.init(entries: 10))
        _ = try await load(cache, "/used")
        for number in 0..<100 {
            _ = try await load(cache, "/\(number)")
            #expect(try await load(cache, "/used") == "1")
        }
        #expect(try await load(cache, "/0") != "2")
    }

    @Test("bytes are bounded: a huge response is given out and not kept")
    func bytes() async throws {
        let cache = cache(.init(bytes: 1000))
        _ = try await load(cache, "/huge", bytes: 900)
        #expect(try await load(cache, "/huge", bytes: 900) == "2")
        for number in 0..<20 { _ = try await load(cache, "/\(number)", bytes: 200) }
        #expect(try await load(cache, "/0", bytes: 200) != "3")
    }

    @Test("requests for one page at the same moment are one load")
    func oneLoad() async throws {
        let cache = cache()
        let gate = Gate()
        try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<50 {
                group.addTask { [loads] in
                    try await cache.response(for: "/a") {
                        let number = loads.increment()
                        await gate.wait()
                        return Response(status: .ok, headers: [.eTag: "\(number)"])
                    }.headers[.eTag]
                }
            }
            gate.open()
            for try await tag in group { #expect(tag == "1") }
        }
    }

    @Test("when the one that loads goes away, another loads")
    func abandonedLoad() async throws {
        let cache = cache()
        let (began, gate) = (Gate(), Gate())
        let first = Task {
            try await cache.response(for: "/a") {
                began.open()
                await gate.wait()
                throw CancellationError()
            }
        }
        await began.wait()
        let second = Task { try await load(cache, "/a") }
        gate.open()
        #expect(try await second.value == "1")
        await #expect(throws: CancellationError.self) { try await first.value }
    }

    @Test("a request that comes after a change does not join a load from before it")
    func joinsOnlyCurrentLoads() async throws {
        let cache = cache()
        let (began, gate) = (Gate(), Gate())
        let old = Task {
            try await cache.response(for: "/a") {
                began.open()
                await gate.wait()
                return Response(status: .ok, headers: [.eTag: "old"])
            }.headers[.eTag]
        }
        await began.wait()
        version.advance()
        #expect(try await load(cache, "/a") == "1")
        gate.open()
        #expect(try await old.value == "old")
        #expect(try await load(cache, "/a") == "1")
    }
}

private final class LoadCount: Sendable {
    private let count = Atomic<Int>(0)
    func increment() -> Int { count.add(1, ordering: .relaxed).newValue }
}

/// Lets tasks wait until a test says go on.
private final class Gate: Sendable {
    private let (stream, continuation) = AsyncStream<Void>.makeStream()
    func open() { continuation.finish() }
    func wait() async { for await _ in stream {} }
}
