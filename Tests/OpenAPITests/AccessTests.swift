import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

/// Every route of every service, those between services and those for orchestrators too, with everybody who may come to it.
///
/// What is somebody's own among the customers (that another one gets a 404) is the business of `SystemTests/OwnershipTests`.
@Suite("Who gets through, route by route", .timeLimit(.minutes(2)))
struct AccessTests {
    /// Whom a route is for, written here a second time: that it was opened by mistake must not be taken for right because it is so.
    static let table: [ServiceName: [Access: [String]]] = [
        .gateway: [.anyone: common],
        .users: [
            .anyone: common + [
                "POST /api/users/register", "POST /api/users/login", "POST /api/users/token", "POST /api/users/logout",
                "POST /api/users/password-reset", "POST /api/users/password-reset/confirm", "POST /api/users/verify-email",
                "GET /.well-known/jwks.json",
            ],
            .users: [
                "GET /api/users/{id}", "GET /api/users/me", "PATCH /api/users/me", "DELETE /api/users/me", "PUT /api/users/me/password",
            ],
            .administrators: ["GET /api/users"],
            .services: feed,
            .administratorsAndServices: operations,
        ],
        .products: [
            .anyone: common + ["GET /api/products", "GET /api/products/{id}", "GET /api/categories"],
            .administrators: [
                "POST /api/products", "PATCH /api/products/{id}", "DELETE /api/products/{id}", "POST /api/products/{id}/restock",
                "GET /api/products/{id}/stock-movements",
            ],
            .administratorsAndServices: operations + ["PATCH /api/products/{id}/stock"],
            .services: feed + ["POST /internal/reservations", "DELETE /internal/reservations/{id}"],
        ],
        .orders: [
            .anyone: common,
            .users: [
                "POST /api/orders", "GET /api/orders", "GET /api/orders/{id}", "GET /api/orders/user/{userId}",
                "POST /api/orders/{id}/cancel",
                "GET /api/orders/{id}/events",
            ],
            .administrators: ["POST /api/orders/{id}/ship", "POST /api/orders/{id}/deliver"],
            .services: feed,
            .administratorsAndServices: operations,
        ],
        .payments: [
            .anyone: common + ["POST /api/payments/webhooks/{provider}"],
            .users: ["GET /api/payments", "GET /api/payments/{id}"],
            .administrators: ["GET /api/payments/ledger", "POST /api/payments/{id}/refunds"],
            .services: feed,
            .administratorsAndServices: operations,
        ],
        .notifications: [
            .anyone: common,
            .users: ["GET /api/notifications"],
            .administrators: ["POST /api/notifications/{id}/resend"],
            .services: feed + ["POST /internal/messages"],
            .administratorsAndServices: operations,
        ],
    ]

    /// For whoever watches a service.
    private static let common = ["GET /health", "GET /live", "GET /ready", "GET /metrics"]
    /// For the others of one shop.
    private static let feed = ["GET /internal/events"]
    /// For `souk status` and `souk dead`, and for an administrator who is inside.
    private static let operations = [
        "GET /internal/status", "GET /internal/dead-letters", "GET /internal/dead-letters/{id}",
        "POST /internal/dead-letters/{id}/replay", "DELETE /internal/dead-letters/{id}",
    ]

    @Test("the table has every route of every service, and no other", arguments: ServiceName.allCases)
    func complete(of service: ServiceName) async throws {
        let real = Set(try await RealRoutes.of(service).map(\.description))
        let told = Self.table[service, default: [:]].values.flatMap(\.self)
        #expect(Set(told).symmetricDifference(real) == [])
        #expect(told.count == Set(told).count)
    }

    @Test("everybody gets what the table says, and a forged token is worth less than none")
    func everybody() async throws {
        let identities = try await Identities()
        var cells = 0
        for service in ServiceName.allCases {
            let endpoint = try await identities.endpoint(of: service)
            for (access, routes) in Self.table[service, default: [:]] {
                // Erased last: nobody has an account after that.
                for route in routes.sorted(by: { ($0 == "DELETE /api/users/me" ? 1 : 0) < ($1 == "DELETE /api/users/me" ? 1 : 0) }) {
                    for identity in identities.all {
                        cells += 1
                        let status = try await Self.status(of: route, at: endpoint, for: identity)
                        #expect(
                            Self.isRight(status, access, identity.kind),
                            "\(service.rawValue) \(route), which is for \(access), answers \(identity) with \(status)")
                    }
                }
            }
        }
        #expect(cells > 1_000)
    }

    private static func status(of route: String, at endpoint: ServiceEndpoint, for identity: Identity) async throws -> Int {
        let parts = route.split(separator: " ")
        let path = parts[1].replacing("{id}", with: "1").replacing("{userId}", with: "1").replacing("{provider}", with: "sandbox")
        // A feed that has nothing waits for something, unless it is told not to.
        let query = path == "/internal/events" ? "?after=0&wait=0" : ""
        var headers: HTTPFields = [:]
        if let authorization = identity.authorization { headers[.authorization] = authorization }
        // Without a token in its body it is a wish of whoever is signed in.
        let body = path == "/api/users/verify-email" ? Data(#"{"token":"unknown"}"#.utf8) : nil
        if let body { headers[.contentLength] = "\(body.count)" }
        let request = OutboundRequest(
            method: HTTPRequest.Method(String(parts[0])) ?? .get, url: "http://127.0.0.1\(path)\(query)", headers: headers, body: body)
        return try await endpoint.respond(to: request).status.code
    }

    /// Who gets through sees what the route has to say of an empty request, whatever that is: a result, a mistake, or that nothing is there.
    private static func isRight(_ status: Int, _ access: Access, _ kind: Identity.Kind) -> Bool {
        let getsThrough = status != 401 && status != 403 && (status < 500 || status == 503)
        return switch (access, kind) {
        case (.anyone, _): getsThrough
        case (_, .nobody), (_, .impostor): status == 401
        case (.users, .customer), (.users, .administrator), (.administrators, .administrator), (.services, .service),
            (.administratorsAndServices, .administrator), (.administratorsAndServices, .service):
            getsThrough
        case (.users, .service), (.administrators, .service), (.administrators, .customer), (.services, .customer),
            (.services, .administrator), (.administratorsAndServices, .customer):
            status == 403
        }
    }
}
