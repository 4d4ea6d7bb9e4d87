import Commerce
import Testing

@testable import OrderService

@Suite struct OrderChangesTests {
    private let changes = OrderChanges(largestCount: 3, largestCountOfOneOrder: 2)

    @Test("a follower hears of its order, and of changes that came before it waited")
    func hears() async throws {
        let follower = try changes.follow(try id(1))
        changes.announce(try id(1))
        changes.announce(try id(1))
        await follower.change()
        async let change: Void = follower.change()
        changes.announce(try id(1))
        await change
        changes.announce(try id(2))
        let waiting = Task { await follower.change() }
        waiting.cancel()
        await waiting.value
    }

    @Test("followers are bounded, of one order and in all, and forgotten when they are released")
    func bounds() throws {
        var one: [OrderFollower] = [try changes.follow(try id(1)), try changes.follow(try id(1))]
        #expect(throws: OrderError.tooManyFollowers) { try changes.follow(try id(1)) }
        var two: [OrderFollower] = [try changes.follow(try id(2))]
        #expect(throws: OrderError.tooManyFollowers) { try changes.follow(try id(3)) }
        #expect(changes.followerCount == 3)
        one.removeAll()
        #expect(changes.followerCount == 1)
        two.append(try changes.follow(try id(1)))
        changes.announce(try id(1))
        two.removeAll()
        #expect(changes.followerCount == 0)
    }

    private func id(_ id: Int64) throws -> OrderID { try #require(OrderID(rawValue: id)) }
}
