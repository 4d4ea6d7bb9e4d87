import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPProxy

@Suite("The watch over names")
struct NameWatchTests {
    /// A watch in a time of its own, in which an event takes no time.
    private final class World {
        let loop = EmbeddedEventLoop()
        let names: ScriptedResolver
        private(set) var events: [NameWatch.Event] = []
        private(set) var watch: NameWatch!

        init(_ answers: [String: [String]] = [:], fraction: Double = 0.5) {
            names = ScriptedResolver(answers)
            watch = NameWatch(eventLoop: loop, resolver: names.resolver, fraction: { fraction }) { [unowned self] event, _ in
                events.append(event)
            }
        }

        deinit { watch.stop() }

        /// Watches them; whether their first answers are waited for no more is in the result.
        func begin(_ names: [String], every interval: TimeAmount = .seconds(10)) -> () -> Bool {
            var isDone = false
            watch.begin(Dictionary(uniqueKeysWithValues: names.map { ($0, interval) })).assumeIsolated().whenComplete { _ in isDone = true }
            loop.run()
            return { isDone }
        }

        /// How many lookups there were after each of these seconds.
        func lookups(atSeconds seconds: [Double]) -> [Int] {
            seconds.map { second in
                let time = NIODeadline.uptimeNanoseconds(UInt64(second * 1e9))
                if time > loop.now { loop.advanceTime(to: time) }
                return names.asked.count
            }
        }

        func known(_ name: String) -> [String]? { watch.addresses[name]?.ipv4 }
    }

    private static func changed(_ addresses: String...) throws -> NameWatch.Event { .changed(try #require(HostAddresses(addresses))) }

    @Test("a name is looked up at once and at each interval; what is new is told, what is not is not")
    func series() throws {
        let world = World(["shop": ["10.0.0.1"]])
        let isDone = world.begin(["shop"])
        #expect(isDone())
        #expect(try world.events == [Self.changed("10.0.0.1")])
        #expect(world.lookups(atSeconds: [9.9, 10, 19.9, 20]) == [1, 2, 2, 3])
        #expect(world.events.count == 1)
        world.names["shop"] = .success(["10.0.0.2", "10.0.0.1"])
        #expect(world.lookups(atSeconds: [30]) == [4])
        #expect(try world.events.last == Self.changed("10.0.0.1", "10.0.0.2"))
        #expect(world.known("shop") == ["10.0.0.1", "10.0.0.2"])
    }

    @Test("the interval is taken give or take a tenth", arguments: [(0.0, 9.0), (0.999_999, 10.999_99)])
    func jitter(fraction: Double, seconds: Double) {
        let world = World(["shop": ["10.0.0.1"]], fraction: fraction)
        _ = world.begin(["shop"])
        #expect(world.lookups(atSeconds: [seconds - 0.01, seconds + 0.01]) == [1, 2])
    }

    @Test(
        "a lookup that fails or finds nothing keeps the addresses; it is told once, and tried again soon, then less often, up to the interval"
    )
    func failures() throws {
        let world = World(["shop": ["10.0.0.1"]], fraction: 0.999_999_999)
        _ = world.begin(["shop"])
        world.names["shop"] = .failure(NameResolverError("no server answers"))
        #expect(world.lookups(atSeconds: [11]) == [2])
        // 0.5, 1.5, 3.5 and 7.5 seconds after one another, then 10.
        #expect(world.lookups(atSeconds: [11.4, 11.6, 13.1, 16.6, 24.1, 34.1, 44.1]) == [2, 3, 4, 5, 6, 7, 8])
        #expect(world.known("shop") == ["10.0.0.1"])
        let reason = "no server answers"
        let repeated = [NameWatch.Event](repeating: .failed(reason: reason, isNews: false), count: 6)
        #expect(try world.events == [Self.changed("10.0.0.1"), .failed(reason: reason, isNews: true)] + repeated)
        world.names["shop"] = .success([])
        #expect(world.lookups(atSeconds: [54.2]) == [9])
        #expect(world.events.last == .failed(reason: "it has no address", isNews: true))
        #expect(world.known("shop") == ["10.0.0.1"])
        world.names["shop"] = .success(["10.0.0.1"])
        #expect(world.lookups(atSeconds: [64.3]) == [10])
        #expect(world.events.last == .confirmed)
        // From the beginning again.
        world.names["shop"] = .failure(NameResolverError("gone"))
        #expect(world.lookups(atSeconds: [75.4, 76]) == [11, 12])
    }

    @Test("a name that has no answer is not waited for longer than three seconds; when it comes it is taken")
    func patience() throws {
        let world = World(["good": ["10.0.0.1"]])
        let isDone = world.begin(["good", "silent"])
        _ = world.lookups(atSeconds: [2.9])
        #expect(!isDone())
        _ = world.lookups(atSeconds: [3])
        #expect(isDone())
        // One lookup of a name at a time, however long it takes.
        _ = world.lookups(atSeconds: [100])
        #expect(world.names.asked.count { $0 == "silent" } == 1)
        world.names["silent"] = .success(["10.0.0.2"])
        world.loop.run()
        #expect(world.known("silent") == ["10.0.0.2"])
        #expect(world.names.asked.count { $0 == "silent" } == 1)
    }

    @Test("a name that fails at once is not waited for at all")
    func failsAtOnce() {
        let world = World()
        world.names["nowhere"] = .failure(NameResolverError("unknown"))
        let isDone = world.begin(["nowhere"])
        #expect(isDone() && world.known("nowhere") == nil)
    }

    @Test("who cannot connect makes the next lookup come at once, but never within a second of the last")
    func hurry() {
        let world = World(["shop": ["10.0.0.1"]])
        _ = world.begin(["shop"], every: .hours(1))
        _ = world.lookups(atSeconds: [100])
        for _ in 0..<5 { world.watch.hurry("shop") }
        #expect(world.lookups(atSeconds: [100]) == [1])
        world.loop.run()
        #expect(world.names.asked.count == 2)
        for _ in 0..<5 { world.watch.hurry("shop") }
        #expect(world.lookups(atSeconds: [100.9, 101, 102, 200]) == [2, 3, 3, 3])
        world.watch.hurry("never heard of")
        // While a lookup is under way, it is the one that is wanted.
        world.names["shop"] = nil
        world.watch.hurry("shop")
        world.loop.run()
        world.watch.hurry("shop")
        #expect(world.lookups(atSeconds: [300]) == [4])
    }

    @Test("a name that is named no more is not looked up again, and an answer that still comes is dropped")
    func dropped() {
        let world = World(["other": ["10.0.0.1"]])
        let isDone = world.begin(["old", "other"])
        world.watch.keep(["other": .seconds(10)])
        world.loop.run()
        #expect(isDone(), "nobody waits for it any more")
        world.names["old"] = .success(["10.0.0.9"])
        world.loop.run()
        #expect(world.events.count == 1 && world.known("old") == nil)
        _ = world.lookups(atSeconds: [60])
        #expect(world.names.asked.count { $0 == "old" } == 1)
        // Named again, it begins anew.
        _ = world.begin(["old", "other"])
        #expect(world.known("old") == ["10.0.0.9"])
    }

    @Test("a shorter interval holds at once")
    func shorter() {
        let world = World(["shop": ["10.0.0.1"]])
        _ = world.begin(["shop"], every: .hours(1))
        world.watch.keep(["shop": .seconds(5)])
        #expect(world.lookups(atSeconds: [4.9, 5, 10]) == [1, 2, 3])
    }

    @Test("after the end no answer touches the event loop")
    func stopped() {
        let world = World()
        let isDone = world.begin(["shop"])
        world.watch.stop()
        world.loop.run()
        #expect(isDone())
        world.names["shop"] = .success(["10.0.0.1"])
        world.loop.run()
        #expect(world.events == [] && world.watch.addresses.isEmpty)
    }

    @Test("the system finds the address of this machine, and says why it finds no other")
    func system() async throws {
        func lookUp(_ name: String) async -> Result<[String], NameResolverError> {
            await withCheckedContinuation { continuation in NameResolver.system.lookUp(name) { continuation.resume(returning: $0) } }
        }
        let found = try await lookUp("localhost").get()
        #expect(!found.isEmpty && found.allSatisfy { ["127.0.0.1", "::1"].contains($0) || $0.hasPrefix("127.") })
        #expect(Set(found).count == found.count)
        let error = await #expect(throws: NameResolverError.self) { try await lookUp("no.such.name.invalid").get() }
        #expect(error?.description.isEmpty == false)
    }
}
