import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

/// Services die while orders flow, and nothing that a customer was told is lost.
extension SystemTests {
    @Suite(.shop(), .enabled(if: ProcessTable.isReadable, "the system tells of its processes in /proc"), .logsOnFailure)
    struct CrashTests: ShopSuite {
        /// How long payment-service is away in the outage test. A longer one, such as 60, shows the same and takes as much longer.
        private static let outage = Duration.seconds(
            ProcessInfo.processInfo.environment["SOUK_TEST_OUTAGE_SECONDS"].flatMap(Int.init) ?? 5)

        @Test(
            "kill -9 of any service while orders flow: the others answer, it comes back, and every accepted order ends in balance",
            .timeLimit(.minutes(3)), arguments: ServiceName.allCases)
        func kill(_ victim: ServiceName) async throws {
            // Where an order needs the victim, a customer must have felt its death: else nothing was tried. It may fall between two orders.
            let isFelt = [.gateway, .orders, .products].contains(victim)
            try await expectBalance { flow in
                repeat {
                    try await flow.more(10)
                    try await killAndAwait(victim)
                    try await shop.expectSoundBooks()
                    try await flow.more(10)
                } while isFelt && flow.repeats == 0
            }
        }

        private func killAndAwait(_ victim: ServiceName) async throws {
            let process = try process(of: victim)
            // Customers were here before: each service has had a reason to fetch the keys that tell who they are.
            try await expectAnswers()
            Foundation.kill(process, SIGKILL)
            try await expectOthersAnswer(without: victim)
            try await eventually(within: .seconds(45), "souk up brings \(victim.rawValue) back") { () -> Void? in
                guard let new = try ProcessTable.services(of: shop.souk.id)[victim], new != process else { return nil }
                return (try? await shop.direct(victim).get(victim == .gateway ? "/health" : "/ready"))?.status == .ok ? () : nil
            }
        }

        @Test("while payment-service is away, ordering works; when it is back, it catches up", .timeLimit(.minutes(5)))
        func outage() async throws {
            try await expectBalance { flow in
                let process = try process(of: .payments)
                // First it hangs, as a machine in trouble does, then it dies.
                Foundation.kill(process, SIGSTOP)
                let end = ContinuousClock.now + Self.outage
                var acceptedDuringOutage: [Int64] = []
                repeat {
                    try await flow.more(3, within: .seconds(15))
                    acceptedDuringOutage = flow.accepted.map(\.id)
                } while ContinuousClock.now < end
                let last = try #require(acceptedDuringOutage.last)
                #expect(try await shop.order(last, of: customer)["status"] == "pending")
                Foundation.kill(process, SIGKILL)
                try await eventually(within: .seconds(60), "order \(last) is no longer pending") {
                    try await shop.order(last, of: customer)["status"] == "pending" ? nil : ()
                }
            }
        }

        /// Runs `trouble` while orders flow, and expects that everything agrees afterwards.
        private func expectBalance(_ trouble: (OrderFlow) async throws -> Void) async throws {
            let balance = try await Balance(of: shop)
            let flow = OrderFlow(shop, product: balance.product)
            try await flow.run(workers: 4) { try await trouble(flow) }
            try await balance.expectAgreement(in: shop, flow.accepted)
        }

        // MARK: Meanwhile

        private func process(of service: ServiceName) throws -> Int32 {
            try #require(try ProcessTable.services(of: shop.souk.id)[service])
        }

        /// What does not need the service that has just died is answered as ever.
        private func expectOthersAnswer(without victim: ServiceName) async throws {
            for service in ServiceName.allCases where service != victim {
                #expect(try await shop.direct(service).get("/live").status == .ok, "\(service.rawValue) without \(victim.rawValue)")
            }
            guard victim != .gateway else { return }
            try await expectAnswers(without: victim)
            #expect(try await client.get("/health").status == .ok)
        }

        /// Through the gateway, one call to each service.
        private func expectAnswers(without victim: ServiceName? = nil) async throws {
            let calls: [(ServiceName, String, TestCaller)] = [
                (.users, "/api/users/me", customer.caller), (.products, "/api/products", .anonymous),
                (.orders, "/api/orders", customer.caller),
                (.payments, "/api/payments/ledger", administrator), (.notifications, "/api/notifications", customer.caller),
            ]
            for (service, path, caller) in calls where service != victim {
                #expect(try await client.get(path, as: caller).status == .ok, "\(path) without \(victim?.rawValue ?? "any loss")")
            }
        }
    }
}
