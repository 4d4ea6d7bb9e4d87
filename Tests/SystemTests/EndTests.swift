import Chassis
import ChassisTesting
import Contracts
import Foundation
import Testing

extension SystemTests {
    /// How a shop ends.
    @Suite(.enabled(if: ProcessTable.isReadable, "the system tells of its processes in /proc"), .logsOnFailure)
    struct EndTests {
        /// Runs `body` with a shop of its own and the processes of its services.
        private func withShop(_ body: (SystemShop, [ServiceName: Int32]) async throws -> Void) async throws {
            let shop = try SystemShop()
            do {
                try await shop.open(customers: 1)
                let services = try ProcessTable.services(of: shop.souk.id)
                #expect(services.count == 6)
                try await SystemShop.$current.withValue(shop) { try await body(shop, services) }
            } catch {
                await shop.close()
                throw error
            }
            await shop.close()
        }

        @Test("SIGTERM stops the shop and every service within seconds, and says so", .timeLimit(.minutes(1)))
        func terminate() async throws {
            try await withShop { shop, services async throws in
                let start = ContinuousClock.now
                shop.souk.signal(SIGTERM)
                #expect(try await shop.souk.waitForExit() == 0)
                #expect(ContinuousClock.now - start < .seconds(10))
                #expect(!services.values.contains(where: ProcessTable.isAlive))
                #expect(shop.souk.text.contains("Souk has stopped."))
            }
        }

        @Test("kill -9 of souk leaves no service behind", .timeLimit(.minutes(1)))
        func kill() async throws {
            try await withShop { shop, services async throws in
                shop.souk.signal(SIGKILL)
                #expect(try await shop.souk.waitForExit() == -SIGKILL)
                try await eventually("all services have ended") { services.values.contains(where: ProcessTable.isAlive) ? nil : () }
            }
        }

        @Test(
            "a shop that lost its power goes on where it was: every order with a 201 is there and ends in balance", .timeLimit(.minutes(3)))
        func powerLoss() async throws {
            try await withShop { shop, services async throws in
                let balance = try await Balance(of: shop)
                let customer = shop.customers[0]
                var accepted: [OrderFlow.Accepted] = []
                for number in 0..<20 {
                    let method = ["tok_visa", "tok_flaky", "tok_declined", "tok_timeout"][number % 4]
                    accepted.append(.init(id: try await shop.order(balance.product, method: method, by: customer), key: ""))
                }
                shop.souk.signal(SIGKILL)
                for process in services.values { Foundation.kill(process, SIGKILL) }
                #expect(try await shop.souk.waitForExit() == -SIGKILL)
                try await eventually("all services have ended") { services.values.contains(where: ProcessTable.isAlive) ? nil : () }

                let again = try SystemShop(after: shop)
                do {
                    try await again.waitUntilOpen()
                    try await balance.expectAgreement(in: again, accepted)
                } catch {
                    await again.close()
                    throw error
                }
                await again.close()
            }
        }
    }
}
