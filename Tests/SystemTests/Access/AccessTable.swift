import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes

/// Who may do what, as one table: every route of every service, asked by everybody, through the gateway and past it.
///
/// A cell is the status of the answer: first what is answered at the gateway, then what the service itself answers; `-` where the route is not.
/// The columns are nobody (`nob`), another customer (`oth`), the customer whose `{id}` it is (`own`), an administrator (`adm`), a service (`svc`),
/// and every token that must not be worth anything (`bad`, see `Forgery`), which all have the same answer. Where a status says no more than that
/// the body is empty (400), or that the order is cancelled (409), the caller had passed.
///
/// The rows are sent in this order, so those that end something come last. A row for `every` service is a row for each.
enum AccessTable {
    struct Row: Sendable {
        let service: ServiceName
        /// As `Route.description` has it.
        let route: String
        /// Six statuses, or none where the route is not.
        let gateway: [Int]
        let direct: [Int]

        var method: HTTPRequest.Method { HTTPRequest.Method(String(route.prefix { $0 != " " }))! }
        var path: String { String(route.drop { $0 != " " }.dropFirst()) }
        var name: String { "\(service.rawValue): \(route)" }
        /// After it nothing more is to be had with the caller's token.
        var endsAccount: Bool { route == "DELETE /api/users/me" }
    }

    static let rows: [Row] = text.split(separator: "\n").dropFirst().flatMap { line in
        let parts = line.split(separator: "|")
        let words = parts[0].split(separator: " ")
        let services = words[0] == "every" ? ServiceName.allCases.filter { $0 != .gateway } : [names[words[0]]!]
        return services.map { service in
            Row(
                service: service, route: words[1...].joined(separator: " "), gateway: parts[1].split(separator: " ").compactMap { Int($0) },
                direct: parts[2].split(separator: " ").compactMap { Int($0) })
        }
    }

    private static let names: [Substring: ServiceName] = [
        "gateway": .gateway, "users": .users, "products": .products, "orders": .orders, "payments": .payments,
        "notifications": .notifications,
    ]

    /// What a route needs beside its path to say more than that it needs it. All others get `{}` where they take a body.
    static let bodies: [String: JSONValue] = [
        "POST /api/products": ["name": "Lamp", "price": 1, "stock": 1],
        "PATCH /api/products/{id}": ["price": 1],
        "PATCH /api/products/{id}/stock": ["quantity": 1],
        "POST /api/products/{id}/restock": ["quantity": 1, "reason": "found"],
        "POST /api/orders": ["productId": "{spare}", "quantity": 1],
        "POST /api/payments/{id}/refunds": ["amount": 1, "reason": "scratched"],
        "POST /internal/reservations": ["reservations": []],
        "POST /internal/reservations/{id}/commit": ["orderID": 1],
        // Without a body it sends the signed-in user another message.
        "POST /api/users/verify-email": .null,
    ]

    private static let text = """
        service       route                                    | nob   oth   own   adm   svc   bad | nob   oth   own   adm   svc   bad
        users         POST /api/users/register                 | 400   400   400   400   400   400 | 400   400   400   400   400   400
        users         POST /api/users/login                    | 400   400   400   400   400   400 | 400   400   400   400   400   400
        users         POST /api/users/token                    | 400   400   400   400   400   400 | 400   400   400   400   400   400
        users         POST /api/users/logout                   | 400   400   400   400   400   400 | 400   400   400   400   400   400
        users         POST /api/users/password-reset           | 400   400   400   400   400   400 | 400   400   400   400   400   400
        users         POST /api/users/password-reset/confirm   | 400   400   400   400   400   400 | 400   400   400   400   400   400
        users         POST /api/users/verify-email             | 401   202   202   202   401   401 | 401   202   202   202   401   401
        users         GET /.well-known/jwks.json               | 200   200   200   200   200   200 | 200   200   200   200   200   200
        users         GET /api/users                           | 401   403   403   200   401   401 | 401   403   403   200   403   401
        users         GET /api/users/{id}                      | 401   404   200   200   401   401 | 401   404   200   200   403   401
        users         GET /api/users/me                        | 401   200   200   200   401   401 | 401   200   200   200   403   401
        users         PATCH /api/users/me                      | 401   200   200   200   401   401 | 401   200   200   200   403   401
        users         PUT /api/users/me/password               | 401   400   400   400   401   401 | 401   400   400   400   403   401
        products      GET /api/products                        | 200   200   200   200   401   401 | 200   200   200   200   200   200
        products      GET /api/products/{id}                   | 200   200   200   200   401   401 | 200   200   200   200   200   200
        products      GET /api/categories                      | 200   200   200   200   200   200 | 200   200   200   200   200   200
        products      POST /api/products                       | 401   403   403   201   401   401 | 401   403   403   201   403   401
        products      PATCH /api/products/{id}                 | 401   403   403   200   401   401 | 401   403   403   200   403   401
        products      PATCH /api/products/{id}/stock           | 401   403   403   200   401   401 | 401   403   403   200   200   401
        products      POST /api/products/{id}/restock          | 401   403   403   200   401   401 | 401   403   403   200   403   401
        products      GET /api/products/{id}/stock-movements   | 401   403   403   200   401   401 | 401   403   403   200   403   401
        orders        POST /api/orders                         | 401   201   201   201   401   401 | 401   201   201   201   403   401
        orders        GET /api/orders                          | 401   200   200   200   401   401 | 401   200   200   200   403   401
        orders        GET /api/orders/user/{userId}            | 401   404   200   200   401   401 | 401   404   200   200   403   401
        orders        GET /api/orders/{id}                     | 401   404   200   200   401   401 | 401   404   200   200   403   401
        payments      GET /api/payments                        | 401   200   200   200   401   401 | 401   200   200   200   403   401
        payments      GET /api/payments/ledger                 | 401   403   403   200   401   401 | 401   403   403   200   403   401
        payments      GET /api/payments/{id}                   | 401   404   200   200   401   401 | 401   404   200   200   403   401
        payments      POST /api/payments/{id}/refunds          | 401   403   403   201   401   401 | 401   403   403   201   403   401
        payments      POST /api/payments/webhooks/{provider}   | 400   400   400   400   400   400 | 400   400   400   400   400   400
        notifications GET /api/notifications                   | 401   200   200   200   401   401 | 401   200   200   200   403   401
        notifications POST /api/notifications/{id}/resend      | 401   403   403   202   401   401 | 401   403   403   202   403   401
        orders        POST /api/orders/{id}/cancel             | 401   404   200   200   401   401 | 401   404   200   200   403   401
        orders        GET /api/orders/{id}/events              | 401   404   200   200   401   401 | 401   404   200   200   403   401
        orders        POST /api/orders/{id}/ship               | 401   403   403   409   401   401 | 401   403   403   409   403   401
        orders        POST /api/orders/{id}/deliver            | 401   403   403   409   401   401 | 401   403   403   409   403   401
        products      DELETE /api/products/{id}                | 401   403   403   204   401   401 | 401   403   403   204   403   401
        users         DELETE /api/users/me                     | 401   204   204   204   401   401 | 401   204   204   204   403   401
        every         GET /health                              | -                                 | 200   200   200   200   200   200
        every         GET /live                                | -                                 | 200   200   200   200   200   200
        every         GET /ready                               | -                                 | 200   200   200   200   200   200
        every         GET /metrics                             | -                                 | 200   200   200   200   200   200
        every         GET /internal/events                     | 404   404   404   404   404   404 | 401   403   403   403   200   401
        every         GET /internal/status                     | 404   404   404   404   404   404 | 401   403   403   200   200   401
        every         GET /internal/dead-letters               | 404   404   404   404   404   404 | 401   403   403   200   200   401
        every         GET /internal/dead-letters/{id}          | 404   404   404   404   404   404 | 401   403   403   404   404   401
        every         POST /internal/dead-letters/{id}/replay  | 404   404   404   404   404   404 | 401   403   403   404   404   401
        every         DELETE /internal/dead-letters/{id}       | 404   404   404   404   404   404 | 401   403   403   404   404   401
        products      POST /internal/reservations              | 404   404   404   404   404   404 | 401   403   403   403   200   401
        products      DELETE /internal/reservations/{id}       | 404   404   404   404   404   404 | 401   403   403   403   404   401
        products      POST /internal/reservations/{id}/commit  | 404   404   404   404   404   404 | 401   403   403   403   404   401
        notifications POST /internal/messages                  | 404   404   404   404   404   404 | 401   403   403   403   400   401
        gateway       GET /health                              | 200   200   200   200   200   200 | -
        gateway       GET /live                                | 200   200   200   200   200   200 | -
        gateway       GET /ready                               | 200   200   200   200   200   200 | -
        gateway       GET /metrics                             | 200   200   200   200   200   200 | -
        gateway       GET /openapi.json                        | 200   200   200   200   200   200 | -
        gateway       HEAD /openapi.json                       | 200   200   200   200   200   200 | -
        gateway       GET /docs                                | 200   200   200   200   200   200 | -
        gateway       HEAD /docs                               | 200   200   200   200   200   200 | -
        gateway       GET /docs/{file}                         | 200   200   200   200   200   200 | -
        gateway       HEAD /docs/{file}                        | 200   200   200   200   200   200 | -
        gateway       GET /admin/status                        | 404   404   404   404   404   404 | -
        gateway       GET /admin/clusters                      | 404   404   404   404   404   404 | -
        gateway       GET /admin/limits                        | 404   404   404   404   404   404 | -
        gateway       GET /admin/configuration                 | 404   404   404   404   404   404 | -
        """
}
