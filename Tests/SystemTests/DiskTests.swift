import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

/// The disk of one service fills up, may not be written, or loses what it had, while customers order.
extension SystemTests {
    @Suite(
        .shop(disks: [.orders, .payments, .products]), .enabled(if: SmallDisk.isAvailable, "\(SmallDisk.requirement)"),
        .enabled(if: ProcessTable.isReadable, "the system tells of its processes in /proc"), .logsOnFailure)
    struct DiskTests: ShopSuite {
        @Test(
            "a full disk while orders flow: 503 with Retry-After and a sentence, never a 500; with space all goes on without a restart",
            .timeLimit(.minutes(4)), arguments: [ServiceName.orders, .payments, .products])
        func full(_ victim: ServiceName) async throws {
            let disk = try #require(shop.disks[victim])
            let process = try ProcessTable.services(of: shop.souk.id)[victim]
            try await expectBalance { flow in
                try await flow.more(10)
                try disk.fill()
                let reason = "\(victim.databaseFile): no space is left for the database"
                try await expectTrouble(of: victim, reason)
                if victim == .payments {
                    // Nobody who orders needs it: its work waits.
                    try await flow.more(10)
                } else {
                    try await expectRefusals(in: flow, victim.refusal)
                }
                try await expectReads()
                try disk.free()
                try await flow.more(10)
                try await expectHealth()
            }
            #expect(try ProcessTable.services(of: shop.souk.id)[victim] == process, "it was not started again")
        }

        @Test(
            "a service that is started where it may only read says so and is started again and again, until it may write",
            .timeLimit(.minutes(4)), arguments: [ServiceName.orders, .payments])
        func readOnly(_ victim: ServiceName) async throws {
            let disk = try #require(shop.disks[victim])
            try await expectBalance { flow in
                try await flow.more(10)
                let process = try #require(try ProcessTable.services(of: shop.souk.id)[victim])
                try disk.setWritable(false)
                kill(process, SIGKILL)
                let reason = "\(victim.databaseFile): its file system is read-only"
                try await eventually(within: .seconds(45), "souk up says why") { shop.souk.text.contains(reason) ? () : nil }
                try await eventually(within: .seconds(45), "souk status says why") {
                    let (status, text) = try await shop.command("status")
                    return status == 1 && text.contains("\(victim.rawValue): does not answer") && text.contains(reason) ? () : nil
                }
                try disk.setWritable(true)
                try await expectHealth()
                try await flow.more(10)
            }
        }

        // MARK: What everybody sees

        /// Runs `trouble` while orders flow, and expects that everything agrees afterwards, and that nobody ever got a 500.
        private func expectBalance(_ trouble: (OrderFlow) async throws -> Void) async throws {
            let balance = try await Balance(of: shop)
            let flow = OrderFlow(shop, product: balance.product)
            try await flow.run(workers: 4) { try await trouble(flow) }
            #expect(flow.refusals.allSatisfy { $0.status != .internalServerError }, "\(flow.refusals)")
            try await balance.expectAgreement(in: shop, flow.accepted)
        }

        /// The service is not ready, and says why; so does `souk status`.
        private func expectTrouble(of victim: ServiceName, _ reason: String) async throws {
            let direct = try shop.direct(victim)
            try await eventually(within: .seconds(60), "\(victim.rawValue) is not ready: \(reason)") {
                let reply = try await direct.get("/ready")
                guard reply.status == .serviceUnavailable else { return Void?.none }
                return reply.json["failing"].array == ["database"] && reply.json["reasons"]["database"].string?.contains(reason) == true
                    ? () : nil
            }
            #expect(try await direct.get("/live").status == .ok)
            // Asked again and again, because the service may be well at times: the log in front of its database starts over in the space
            // that it has whenever everything in it is in the database, and goes on until it would have to grow.
            try await eventually(within: .seconds(60), "souk status says so, and what to do") {
                let (status, text) = try await shop.command("status")
                return status == 1 && text.contains("\(victim.rawValue): database: ") && text.contains("free some space") ? () : nil
            }
        }

        private func expectRefusals(in flow: OrderFlow, _ sentence: String) async throws {
            let refusal = OrderFlow.Refusal(status: .serviceUnavailable, sentence: sentence, hasRetryAfter: true)
            try await eventually(within: .seconds(30), "customers read: \(sentence)") { flow.refusals.contains(refusal) ? () : nil }
        }

        private func expectReads() async throws {
            #expect(try await client.get("/api/products").status == .ok)
            #expect(try await client.get("/api/orders?limit=1", as: customer.caller).status == .ok)
            #expect(try await client.get("/api/payments/ledger", as: administrator).status == .ok)
        }

        private func expectHealth() async throws {
            try await eventually(within: .seconds(45), "souk status finds all healthy") {
                try await shop.command("status").status == 0 ? () : nil
            }
        }
    }
}

extension SystemTests {
    @Suite(.logsOnFailure) struct DamagedFileTests {
        @Test(
            "a shop with a damaged file is not opened over it: it names the file and what to do, and opens with the good copy",
            .timeLimit(.minutes(3)))
        func damaged() async throws {
            let first = try SystemShop()
            do {
                try await first.open(customers: 1)
                let customer = first.customers[0]
                let product = try await first.addProduct(stock: 50)
                let order = try await first.order(product, quantity: 2, by: customer)
                _ = try await first.outcome(of: order, of: customer)
                try await first.expectSettledBooks()
                await first.souk.stop()
                try await expectRefusal(after: first) { shop in
                    #expect(try await shop.order(order, of: customer)["status"] == "paid")
                    try await shop.expectSettledBooks()
                }
            } catch {
                await first.close()
                throw error
            }
            await first.close()
        }

        /// Damages the orders of a stopped shop, starts it again, puts the good copy back meanwhile, and runs `body` once it is open.
        private func expectRefusal(after ended: SystemShop, _ body: (SystemShop) async throws -> Void) async throws {
            let file = ended.directory.appending(path: "orders.sqlite")
            let copy = try Data(contentsOf: file)
            let damaged = Data(repeating: 0x5a, count: 8_192) + copy.dropFirst(8_192)
            try damaged.write(to: file)
            let shop = try SystemShop(after: ended)
            do {
                let sentence = "cannot open the database \(file.path): the database file is damaged or is not a database"
                try await eventually(within: .seconds(45), "souk up says why") {
                    shop.souk.text.contains(sentence) && shop.souk.text.contains("put back a good copy") ? () : nil
                }
                #expect(try Data(contentsOf: file) == damaged, "nothing was made over it")
                try copy.write(to: file)
                try await shop.waitUntilOpen()
                try await body(shop)
            } catch {
                await shop.souk.stop()
                throw error
            }
            await shop.souk.stop()
        }
    }
}

extension ServiceName {
    /// What somebody who orders reads while it can store nothing.
    fileprivate var refusal: String {
        self == .orders ? "Nothing can be stored at the moment, try again later" : "Failed to create order"
    }
}
