import Chassis
import ChassisTesting
import Contracts
import ShopTesting
import Testing

@Suite("The documents of the API and the routes of the services")
struct RouteTests {
    /// Services call these of each other. They are left out of the documents on purpose: what is published is promised, and these are a matter
    /// of one release, written down as types in `Contracts`. A new one is added here by whoever has thought about that.
    private static func internalRoutes(of service: ServiceName) -> Set<String> {
        let common: Set<String> = [
            "GET /internal/events", "GET /internal/status", "GET /internal/dead-letters", "GET /internal/dead-letters/{id}",
            "POST /internal/dead-letters/{id}/replay", "DELETE /internal/dead-letters/{id}",
        ]
        return switch service {
        case .gateway: ["GET /admin/status", "GET /admin/clusters", "GET /admin/limits", "GET /admin/configuration"]
        case .products:
            common.union([
                "POST /internal/reservations", "DELETE /internal/reservations/{id}", "POST /internal/reservations/{id}/commit",
            ])
        case .notifications: common.union(["POST /internal/messages"])
        case .users, .orders, .payments: common
        }
    }

    @Test("every route is an operation of the service's document, and every operation is a route", arguments: ServiceName.allCases)
    func bothWays(of service: ServiceName) async throws {
        let routes = try await RealRoutes.of(service)
        let documented = try APIDocument(of: service).operations.map(\.name)
        // HEAD is what GET is but for the body (RFC 9110, section 9.3.2): it is not described a second time.
        let published = routes.map(\.description).filter { route in
            !Self.internalRoutes(of: service).contains(route)
                && !(route.hasPrefix("HEAD ") && documented.contains("GET \(route.dropFirst(5))"))
        }
        #expect(documented.count >= 4)
        #expect(published.filter { !documented.contains($0) } == [], "not in openapi/\(service.rawValue).json")
        #expect(documented.filter { !published.contains($0) } == [], "no route of \(service.rawValue)")
    }

    @Test("what is left out of the documents is for services or who runs them only, and is there", arguments: ServiceName.allCases)
    func internalRoutes(of service: ServiceName) async throws {
        let routes = try await RealRoutes.of(service).filter { route in
            ["/internal/", "/admin/"].contains { route.path.hasPrefix($0) }
        }
        #expect(Set(routes.map(\.description)) == Self.internalRoutes(of: service))
        // The gateway's admin listener is on loopback, and asks no token.
        for route in routes where !route.path.hasPrefix("/admin/") {
            #expect([.services, .administratorsAndServices].contains(route.access), "\(route)")
        }
    }

    @Test("who may call an operation is who may call its route", arguments: ServiceName.allCases)
    func security(of service: ServiceName) async throws {
        let routes = Dictionary(uniqueKeysWithValues: try await RealRoutes.of(service).map { ($0.description, $0) })
        let user: JSONValue = ["accessToken": []]
        let administrator: JSONValue = ["accessToken": ["admin"]]
        for operation in try APIDocument(of: service).operations {
            // That there is one is for the test before.
            guard let route = routes[operation.name] else { continue }
            let agrees =
                switch route.access {
                case .anyone: operation.security.isEmpty || operation.security == [[:], user]
                case .users: operation.security == [user]
                case .administrators: operation.security == [administrator]
                case .administratorsAndServices: operation.security == [administrator, ["serviceToken": []]]
                case .services: false
                }
            #expect(operation.content["security"] != .null && agrees, "\(operation.name) is for \(route.access)")
        }
    }
}
