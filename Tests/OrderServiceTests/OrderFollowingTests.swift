import Chassis
import ChassisStorage
import ChassisTesting
import Commerce
import Contracts
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing

@testable import OrderService

@Suite struct OrderFollowingTests {
    @Test("a stream gives each change of status as it happens and ends after the last")
    func whole() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            let stream = try await EventStream.open(shop, id)
            #expect(stream.contentType == "text/event-stream")
            #expect(try await stream.event() == "1 pending")
            try await shop.capture(id)
            #expect(try await stream.event() == "2 paid")
            for (action, event) in [("ship", "3 shipped"), ("deliver", "4 delivered")] {
                #expect(try await shop.client.post("/api/orders/\(id)/\(action)", as: .administrator).status == .ok)
                #expect(try await stream.event() == event)
            }
            #expect(try await stream.event() == nil)
        }
    }

    @Test("Last-Event-ID goes on where it was; after the last event of a finished order there is nothing to come back for")
    func resume() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            try await shop.cancel(id)
            for (last, ids) in [("0", [1, 2]), ("1", [2]), ("nonsense", [1, 2])] {
                let reply = try await shop.client.get("/api/orders/\(id)/events", as: .user(1), headers: [Self.lastEventID: last])
                #expect(reply.text.matches(of: /id: (\d+)\n/).map { Int($0.1) } == ids, "\(last)")
            }
            let done = try await shop.client.get("/api/orders/\(id)/events", as: .user(1), headers: [Self.lastEventID: "2"])
            #expect(done.status == .noContent)
        }
    }

    @Test("a service that stops ends its streams properly")
    func drain() async throws {
        let rest = Mutex<Task<String?, any Error>?>(nil)
        try await TestShop.open { shop in
            let stream = try await EventStream.open(shop, try await shop.order())
            #expect(try await stream.event() == "1 pending")
            rest.withLock { $0 = Task { try await stream.event() } }
        }
        #expect(try await rest.withLock { $0 }?.value == .some(nil))
    }

    @Test("followers of one order are bounded, and a client that hangs up makes room")
    func hangingUp() async throws {
        try await TestShop.open { shop in
            let id = try await shop.order()
            let following = try await withThrowingTaskGroup(of: Void.self) { group in
                let (opened, open) = AsyncStream<Void>.makeStream()
                for _ in 0..<20 {
                    group.addTask {
                        let stream = try await EventStream.open(shop, id)
                        #expect(try await stream.event() == "1 pending")
                        open.yield()
                        _ = try await stream.event()
                    }
                }
                var count = 0
                for await _ in opened {
                    count += 1
                    if count == 20 { break }
                }
                let refused = try await EventStream.open(shop, id)
                #expect(refused.status == 503)
                group.cancelAll()
                return count
            }
            #expect(following == 20)
            try await eventually("there is room again") { try await EventStream.open(shop, id).status == 200 }
        }
    }

    @Test("a quiet stream carries a sign of life every 15 seconds, and ends when its token has long expired")
    func heartbeats() async throws {
        let books = try await Books()
        let order = try await books.place("r")
        let following = OrderFollowing(
            orders: Orders(database: books.database, store: books.store, products: FakeStock().products), changes: books.store.changes,
            time: books.time.source,
            pollInterval: .seconds(2))
        let follower = try books.store.changes.follow(order.id)
        let collected = Collected()
        async let streaming: Void = {
            var writer: any ResponseBodyWriter = collected.writer
            try await following.stream(
                order.id, UserIdentity(id: order.userID, role: .customer), after: 0, follower, to: &writer)
        }()
        var beats: [Int] = []
        for second in stride(from: 0, to: 60, by: 1) {
            await books.time.sleepers(1)
            books.time.advance(by: .seconds(1))
            if second % 2 == 1 { await books.time.sleepers(1) }
            if collected.takeBeats() > 0 { beats.append(second + 1) }
        }
        #expect(beats == [16, 32, 48])
        books.time.advance(by: OrderFollowing.longestStream)
        try await streaming
        await books.database.close()
    }

    private static let lastEventID = HTTPField.Name("Last-Event-ID")!
}

/// What was written to a response that nobody receives.
private final class Collected: Sendable {
    private let text = Mutex("")

    var writer: Writer { Writer(collected: self) }

    /// How many signs of life came since the last time.
    func takeBeats() -> Int {
        text.withLock { text in
            defer { text = "" }
            return text.matches(of: /: still here\n\n/).count
        }
    }

    struct Writer: ResponseBodyWriter {
        let collected: Collected
        mutating func write(_ buffer: ByteBuffer) async throws { collected.text.withLock { $0 += String(buffer: buffer) } }
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}
