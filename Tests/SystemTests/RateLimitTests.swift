import Chassis
import ChassisTesting
import Contracts
import HTTPTypes
import Testing

extension SystemTests {
    /// A shop as it is without anybody's settings.
    @Suite(.timeLimit(.minutes(2))) struct RateLimitTests {
        @Test("whoever tries to log in from one address is told to wait after thirty, and the metrics tell of it; nobody else notices")
        func logins() async throws {
            let shop = try SystemShop(environment: ["RATE_LIMITS": "on"])
            do {
                try await shop.open(customers: 1)
                try await expectLimit(of: shop)
            } catch {
                await shop.close()
                throw error
            }
            await shop.close()
        }

        private func expectLimit(of shop: SystemShop) async throws {
            // Without a password, which is refused at once: hashing forty would take longer than the quota does to refill. One login is the shop's.
            let body: JSONValue = ["email": "ada@example.com"]
            var statuses: [Int] = []
            for _ in 0..<40 {
                let reply = try await shop.client.post("/api/users/login", body)
                statuses.append(reply.status.code)
                guard reply.status == .tooManyRequests else { continue }
                #expect(reply.json["type"] == "urn:souk:problem:quota-exceeded" && reply.json["violated-policies"] == ["login"])
                #expect(reply.headers[.retryAfter] != nil)
            }
            #expect(statuses.prefix(20).allSatisfy { $0 == 400 } && statuses.last == 429, "\(statuses)")
            #expect(try await shop.client.get("/api/products").status == .ok)
            #expect(try await shop.client.get("/api/orders", as: shop.customers[0].caller).status == .ok)
            let metrics = try await shop.direct(.gateway).get("/metrics").text
            #expect(metrics.contains("gateway_rate_limited"), "\(metrics)")
        }
    }
}
