import Chassis
import Contracts
import Foundation
import HTTPTypes
import PaymentService

/// The bank of the customers: it takes money back, sometimes gives it back, and its notices are posted until they are taken.
struct SimulatedBank: Sendable {
    let world: World
    let company: SandboxProvider
    let transport: HTTPTransport

    private static let address =
        "http://127.0.0.1:\(ServiceSettings.standardPortBase + ServiceName.payments.portOffset)/api/payments/webhooks/sandbox"

    /// A customer disputes what was paid for an order; one time in three the shop turns out to be right. An order's payment has its number
    /// in this shop only by chance, so the bank picks a charge by it, whosever that is.
    func chargeBack(_ number: Int64) {
        let charge = "payment-\(number)"
        let isWonByShop = world.generator.chance(0.3)
        let delay = world.generator.duration(in: .seconds(1)...(.seconds(60)))
        world.start {
            await self.deliver("chargeback of \(charge)") { try await self.company.chargeBack(charge) }
            guard isWonByShop else { return }
            try? await self.world.clock.sleep(for: delay)
            await self.deliver("reversal of \(charge)") { try await self.company.reverse(charge) }
        }
    }

    /// Signs and posts anew until the shop has taken it.
    private func deliver(_ what: String, _ sign: @escaping @Sendable () async throws -> SignedNotice?) async {
        while true {
            do {
                guard let notice = try await sign() else { return }
                let request = OutboundRequest(method: .post, url: Self.address, headers: notice.headers, body: notice.body)
                let reply = try await transport.send(request, timeout: .seconds(15))
                world.trace.note("\(what): \(reply.status.code)")
                if reply.status == .ok { return }
            } catch {
                world.trace.note("\(what): no answer (\(error))")
            }
            try? await world.clock.sleep(for: world.generator.duration(in: .seconds(1)...(.seconds(20))))
        }
    }
}
