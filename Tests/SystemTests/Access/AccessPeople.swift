import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

/// Everybody who asks in the table of access, and what belongs to one of them.
struct AccessPeople: Sendable {
    struct Person: Sendable {
        let name: String
        let caller: TestCaller
        /// Of the table.
        let column: Int
    }

    let nobody = Person(name: "nobody", caller: .anonymous, column: 0)
    let other: Person
    let owner: Person
    let administrator: Person
    let service: Person
    let forged: [Person]

    private let ownerID: Int64
    private let product: Int64
    /// A product that is nobody's matter: what is ordered of it changes nothing of the owner's.
    private let spare: Int64
    private let order: Int64
    private let payment: Int64
    private let message: Int64

    /// Registers them, and lets the owner buy something.
    init(in shop: SystemShop) async throws {
        let secrets = try await ShopSecrets(of: shop)
        let (owner, other, administrator) = (try await shop.addCustomer(), try await shop.addCustomer(), try await shop.addCustomer())
        let token = try secrets.authorization(of: owner)
        self.other = Person(name: "another customer", caller: .header(try secrets.authorization(of: other)), column: 1)
        self.owner = Person(name: "the owner", caller: .header(token), column: 2)
        self.administrator = Person(
            name: "an administrator", caller: .header(try secrets.authorization(of: administrator, .admin)), column: 3)
        service = Person(name: "a service", caller: .header(try secrets.authorizationOfService()), column: 4)
        forged = try Forgery.allCases.map { forgery in
            let authorization = try forgery.authorization(secrets, id: administrator, customer: token)
            return Person(name: "\(forgery)", caller: .header(authorization), column: 5)
        }
        ownerID = owner
        (product, spare) = (try await shop.addProduct(stock: 100), try await shop.addProduct(stock: 100))
        let customer = SystemShop.Customer(id: owner, email: "", password: "", caller: .header(token))
        order = try await shop.order(product, by: customer)
        #expect(try await shop.outcome(of: order, of: customer)["status"] == "paid")
        payment = try #require(try await shop.payments(of: order).first?["id"].integer)
        message = try await eventually("a message to the owner") {
            try await shop.all("/api/notifications", as: customer.caller).first?["id"].integer
        }
    }

    // MARK: What is asked

    /// Those whose requests change nothing of the owner's.
    func harmless(in row: AccessTable.Row) -> [Person] { [nobody] + forged + (row.endsAccount ? [] : [other]) }

    func others(in row: AccessTable.Row) -> [Person] { (row.endsAccount ? [other] : []) + [service, owner, administrator] }

    /// The row's path with the ids of what the owner has in it.
    func path(of row: AccessTable.Row) -> String {
        let id =
            switch row.service {
            case _ where row.path.hasPrefix("/internal/dead-letters"): "job-1000000"
            case _ where row.path.hasPrefix("/internal/reservations"): "no-reservation"
            case .users: "\(ownerID)"
            case .products: "\(product)"
            case .payments: "\(payment)"
            case .notifications: "\(message)"
            default: "\(order)"
            }
        let query = row.route == "GET /api/payments" ? "?orderId=\(order)" : ""
        let parameters = ["{id}": id, "{userId}": "\(ownerID)", "{provider}": "sandbox", "{file}": "main.js"]
        return parameters.reduce(row.path) { $0.replacingOccurrences(of: $1.key, with: $1.value) } + query
    }

    func body(of row: AccessTable.Row) -> JSONValue? {
        guard ![.get, .head, .delete].contains(row.method) else { return nil }
        switch AccessTable.bodies[row.route] {
        case .null: return nil
        case nil: return [:]
        case .object(var members):
            if members["productId"] == "{spare}" { members["productId"] = .integer(spare) }
            return .object(members)
        case let other: return other
        }
    }

    /// All of the owner's things, as an administrator sees them.
    func state(in shop: SystemShop) async throws -> [JSONValue] {
        var found: [JSONValue] = []
        for path in [
            "/api/users/\(ownerID)", "/api/orders/\(order)", "/api/orders/user/\(ownerID)", "/api/payments/\(payment)",
            "/api/products/\(product)", "/api/products/\(product)/stock-movements",
        ] {
            let reply = try await shop.client.get(path, as: administrator.caller)
            #expect(reply.status == .ok, "\(path): \(reply.text)")
            found.append(reply.json)
        }
        return found
    }
}
