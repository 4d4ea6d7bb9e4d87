import NIOCore
import Testing

@testable import HTTPProxy

@Suite("The store of responses")
struct ResponseCacheTests {
    private static func variant(_ value: String) -> Variant { Variant(names: ["accept-language"], values: Array(value.utf8)) }

    @Test("what is stored is found until it is stale, and then it takes no memory any more")
    func fresh() throws {
        let clock = CacheClock()
        let cache = ResponseCache(clock: { clock.now })
        let (key, target) = (try CacheFixture.key("/a"), try CacheFixture.target("/a"))
        #expect(cache.store(try CacheFixture.stored(seconds: 60, at: cache.now), key, target) == .stored)
        #expect(cache.body(key) == "body" && cache.entries == 1 && cache.bytes > 500)
        clock.advance(seconds: 59)
        #expect(cache.body(key) == "body")
        clock.advance(seconds: 1)
        #expect(cache.body(key) == nil && cache.entries == 0 && cache.bytes == 0)
    }

    @Test("a later response takes the place of an earlier one of its kind, whoever is done first")
    func replaced() throws {
        let cache = ResponseCache()
        let (key, target) = (try CacheFixture.key("/a"), try CacheFixture.target("/a"))
        let (first, second) = (cache.begin(key, target), cache.begin(key, target))
        #expect(cache.finish(second, with: try CacheFixture.stored("new", at: cache.now)) == .stored)
        #expect(cache.finish(first, with: try CacheFixture.stored("old", at: cache.now)) == .changed)
        #expect(cache.body(key) == "new" && cache.entries == 1)
        let bytes = cache.bytes
        #expect(cache.store(try CacheFixture.stored("own", at: cache.now), key, target) == .stored)
        #expect(cache.body(key) == "own" && cache.entries == 1 && cache.bytes == bytes && cache.fills == 0)
    }

    // MARK: Variants

    @Test("a response is given to who says the same in the fields that it depends on, and to nobody else")
    func variants() throws {
        let cache = ResponseCache()
        let (key, target) = (try CacheFixture.key("/a"), try CacheFixture.target("/a"))
        for language in ["de", "en"] {
            cache.store(try CacheFixture.stored(language, variant: Self.variant(language), at: cache.now), key, target)
        }
        #expect(cache.body(key, Self.variant("de")) == "de" && cache.body(key, Self.variant("en")) == "en")
        guard case .otherVariants = cache.find(key, now: cache.now, { _ in Self.variant("fr") }) else {
            Issue.record("found")
            return
        }
    }

    @Test("of one key sixteen variants are kept, the latest ones")
    func manyVariants() throws {
        let cache = ResponseCache()
        let (key, target) = (try CacheFixture.key("/a"), try CacheFixture.target("/a"))
        for number in 0..<100 {
            cache.store(try CacheFixture.stored("\(number)", variant: Self.variant("\(number)"), at: cache.now), key, target)
        }
        #expect(cache.entries == CacheStripe.maximumVariants)
        #expect(cache.body(key, Self.variant("83")) == nil && cache.body(key, Self.variant("84")) == "84")
    }

    // MARK: Changes

    @Test("a change removes what is stored for its address, whatever the query, the port and the case of the host")
    func invalidated() throws {
        let cache = ResponseCache()
        for path in ["/a", "/a?x=1", "/a?x=2", "/b", "/a/b"] {
            let head = try CacheFixture.request("GET", path)
            cache.store(try CacheFixture.stored(path, at: cache.now), try CacheFixture.key(path), CacheTarget(head))
        }
        cache.invalidate(try CacheFixture.target("/a?y=1", host: "SHOP.test:80"))
        for path in ["/a", "/a?x=1", "/a?x=2"] { #expect(cache.body(try CacheFixture.key(path)) == nil, "\(path)") }
        for path in ["/b", "/a/b"] { #expect(cache.body(try CacheFixture.key(path)) == path) }
        #expect(cache.entries == 2)
        cache.invalidate(try CacheFixture.target("/b", host: "other.test"))
        #expect(cache.entries == 2)
        for path in ["/b", "/a/b"] { cache.invalidate(try CacheFixture.target(path)) }
        #expect(cache.entries == 0 && cache.bytes == 0)
    }

    @Test("what was being fetched when something changed is not stored, what is fetched after it is")
    func fillsEnd() throws {
        let cache = ResponseCache()
        let (key, target) = (try CacheFixture.key("/a"), try CacheFixture.target("/a"))
        let (before, elsewhere) = (cache.begin(key, target), cache.begin(try CacheFixture.key("/b"), try CacheFixture.target("/b")))
        cache.invalidate(target)
        let after = cache.begin(key, target)
        #expect(cache.finish(before, with: try CacheFixture.stored("old", at: cache.now)) == .changed)
        #expect(cache.body(key) == nil && cache.bytes == 0)
        #expect(cache.finish(after, with: try CacheFixture.stored("new", at: cache.now)) == .stored)
        #expect(cache.finish(elsewhere, with: try CacheFixture.stored("other", at: cache.now)) == .stored)
        #expect(cache.body(key) == "new" && cache.fills == 0)
    }

    @Test("a fetch that was given up leaves nothing behind, and cannot be stored any more")
    func abandoned() throws {
        let cache = ResponseCache()
        let fill = cache.begin(try CacheFixture.key("/a"), try CacheFixture.target("/a"))
        #expect(cache.fills == 1)
        cache.abandon(fill)
        let late = cache.finish(fill, with: try CacheFixture.stored(at: cache.now))
        #expect(late == .changed && cache.fills == 0)
        #expect(cache.entries == 0 && cache.bytes == 0)
    }

    // MARK: Bounds

    @Test("a flood never takes more than there is, and all that is taken is accounted for")
    func flood() throws {
        let cache = ResponseCache(capacity: 1 << 20)
        let popular = try CacheFixture.key("/popular")
        cache.store(try CacheFixture.stored("popular", at: cache.now), popular, try CacheFixture.target("/popular"))
        for number in 0..<3_000 {
            let path = "/\(number)"
            let body = String(repeating: "x", count: number * 7_919 % 40_000)
            #expect(
                cache.store(try CacheFixture.stored(body, at: cache.now), try CacheFixture.key(path), try CacheFixture.target(path))
                    == .stored)
            #expect(cache.bytes <= cache.capacity)
            #expect(cache.body(popular) == "popular", "after \(number)")
        }
        #expect(cache.entries > 20)
        cache.resize(to: 100_000)
        #expect(cache.bytes <= 100_000 && cache.bytes > 0)
        cache.resize(to: 0)
        #expect(cache.bytes == 0 && cache.entries == 0)
    }

    @Test("nothing that takes more than a quarter of the memory is stored or recorded")
    func tooLarge() throws {
        let cache = ResponseCache(capacity: 1 << 20)
        let (key, target) = (try CacheFixture.key("/a"), try CacheFixture.target("/a"))
        #expect(cache.store(try CacheFixture.stored(String(repeating: "x", count: 1 << 18), at: cache.now), key, target) == .noRoom)
        #expect(cache.bytes == 0 && cache.fills == 0)
        #expect(cache.store(try CacheFixture.stored(String(repeating: "x", count: 1 << 17), at: cache.now), key, target) == .stored)
        #expect(cache.beginRecording(200_000))
        #expect(!cache.beginRecording(100_000))
        cache.endRecording(200_000)
        #expect(cache.beginRecording(1 << 18))
    }

    @Test("many threads together keep its bounds and its books")
    func concurrent() async throws {
        let cache = ResponseCache(capacity: 1 << 18)
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask { @concurrent in
                    for number in 0..<500 {
                        let path = "/\((number &* 31 &+ thread) % 40)"
                        guard let key = try? CacheFixture.key(path), let target = try? CacheFixture.target(path),
                            let response = try? CacheFixture.stored(String(repeating: "x", count: number * 13 % 9_000), at: cache.now)
                        else { continue }
                        let fill = cache.begin(key, target)
                        if number.isMultiple(of: 7) { cache.invalidate(target) }
                        if number.isMultiple(of: 5) { cache.abandon(fill) } else { _ = cache.finish(fill, with: response) }
                        _ = cache.body(key)
                    }
                }
            }
        }
        #expect(cache.fills == 0 && cache.bytes <= cache.capacity)
        for number in 0..<40 { cache.invalidate(try CacheFixture.target("/\(number)")) }
        #expect(cache.entries == 0 && cache.bytes == 0)
    }
}
