import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

/// User A never sees or changes what is B's. Which status everybody gets from every route stands in `AccessTable`; here is what the answers say.
extension SystemTests {
    @Suite(.shop(customers: 2), .logsOnFailure) struct OwnershipTests: ShopSuite {
        /// Lists that speak of the caller, and what there is of A's.
        private static let lists = ["/api/users/me", "/api/orders", "/api/payments?orderId={order}", "/api/notifications"]
        private static let things = ["/api/users/{owner}", "/api/orders/{order}", "/api/orders/user/{owner}", "/api/payments/{payment}"]

        private var stranger: SystemShop.Customer { shop.customers[1] }

        /// A buys something; returns the ids of it.
        private func belongings() async throws -> [String: Int64] {
            let product = try await shop.addProduct(stock: 10)
            let order = try await shop.order(product, by: customer)
            #expect(try await shop.outcome(of: order, of: customer)["status"] == "paid")
            let payment = try #require(try await shop.payments(of: order).first?["id"].integer)
            return ["owner": customer.id, "product": product, "order": order, "payment": payment]
        }

        private func path(_ template: String, _ ids: [String: Int64]) -> String {
            ids.reduce(template) { $0.replacingOccurrences(of: "{\($1.key)}", with: "\($1.value)") }
        }

        @Test("what B lists is B's: nothing in it is about A", .timeLimit(.minutes(1)))
        func lists() async throws {
            let ids = try await belongings()
            for list in Self.lists {
                let reply = try await client.get(path(list, ids), as: stranger.caller)
                #expect(reply.status == .ok, "\(list): \(reply.text)")
                #expect(!mentions(reply.json, customer), "\(list): \(reply.text)")
            }
        }

        @Test("A and an administrator get what is A's", .timeLimit(.minutes(1)))
        func owner() async throws {
            let ids = try await belongings()
            for thing in Self.things {
                for caller in [customer.caller, administrator] {
                    let reply = try await client.get(path(thing, ids), as: caller)
                    #expect(reply.status == .ok, "\(thing): \(reply.text)")
                    #expect(mentions(reply.json, customer), "\(thing): \(reply.text)")
                }
            }
        }

        @Test("B orders nothing in A's name", .timeLimit(.minutes(1)))
        func orderForAnother() async throws {
            let ids = try await belongings()
            let before = try await shop.all("/api/orders/user/\(customer.id)", as: administrator)
            let body: JSONValue = ["userId": .integer(customer.id), "productId": .integer(try #require(ids["product"])), "quantity": 1]
            let order = try await client.post("/api/orders", body, as: stranger.caller)
            #expect(order.status == .forbidden)
            #expect(try await shop.all("/api/orders/user/\(customer.id)", as: administrator) == before)
        }

        /// Whether anything in `value` is about this customer.
        private func mentions(_ value: JSONValue, _ customer: SystemShop.Customer) -> Bool {
            switch value {
            case .object(let members):
                members["userId"]?.integer == customer.id || members["email"]?.string == customer.email
                    || members.values.contains { mentions($0, customer) }
            case .array(let elements): elements.contains { mentions($0, customer) }
            default: false
            }
        }
    }
}
