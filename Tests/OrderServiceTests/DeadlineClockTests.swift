import ChassisStorage
import Contracts
import Testing

@testable import OrderService

@Suite("Deadlines under a clock that is set back")
struct DeadlineClockTests {
    @Test("an order waits for its payment at most as long again", arguments: [3_600, 86_400, 365 * 86_400])
    func setBack(seconds: Int) async throws {
        let books = try await Books()
        let order = try await books.place("r")
        let sweep = DeadlineSweep(database: books.database, store: books.store, interval: .seconds(5))
        books.time.advance(by: .seconds(-seconds))
        #expect(try await sweep.run() == 0)
        books.time.advance(by: .seconds(899))
        #expect(try await sweep.run() == 0)
        books.time.advance(by: .seconds(1))
        #expect(try await sweep.run() == 1)
        let swept = try await books.database.read { [store = books.store] in try store.order(order.id, in: $0) }
        #expect(swept?.status == .cancelled)
        await books.database.close()
    }
}
