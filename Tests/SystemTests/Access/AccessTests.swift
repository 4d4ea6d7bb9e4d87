import Chassis
import ChassisTesting
import Contracts
import HTTPTypes
import ShopTesting
import Testing

/// The table of who may do what, asked of a real shop.
extension SystemTests {
    @Suite(.shop(customers: 0), .logsOnFailure) struct AccessTests: ShopSuite {
        @Test("the table has every route of every service, and no other", .timeLimit(.minutes(1)))
        func tableIsComplete() async throws {
            var real: Set<String> = []
            for service in ServiceName.allCases {
                for route in try await RealRoutes.of(service) { real.insert("\(service.rawValue): \(route)") }
            }
            let told = AccessTable.rows.map(\.name)
            #expect(real.subtracting(told) == [], "these routes are missing from the table")
            #expect(Set(told).subtracting(real) == [], "these routes are nowhere")
            #expect(Set(told).count == told.count && told.count > 90)
            for row in AccessTable.rows {
                #expect([row.gateway.count, row.direct.count].allSatisfy { [0, 6].contains($0) }, "\(row.name)")
            }
        }

        @Test("through the gateway everybody gets what the table says", .timeLimit(.minutes(2)))
        func throughGateway() async throws {
            let people = try await AccessPeople(in: shop)
            try await ask(people, { _ in client }, \.gateway)
        }

        @Test("past the gateway the services say the same for themselves", .timeLimit(.minutes(2)))
        func pastGateway() async throws {
            let people = try await AccessPeople(in: shop)
            try await ask(people, { try shop.direct($0) }, \.direct)
        }

        /// First all those who can change nothing of the owner's, then the others.
        private func ask(
            _ people: AccessPeople, _ client: (ServiceName) throws -> TestClient, _ cells: (AccessTable.Row) -> [Int]
        ) async throws {
            let rows = AccessTable.rows.filter { !cells($0).isEmpty }
            let before = try await people.state(in: shop)
            for row in rows {
                for caller in people.harmless(in: row) { try await check(row, caller, cells(row), people, try client(row.service)) }
            }
            #expect(try await people.state(in: shop) == before, "what is the owner's has changed")
            for row in rows {
                for caller in people.others(in: row) { try await check(row, caller, cells(row), people, try client(row.service)) }
            }
        }

        private func check(
            _ row: AccessTable.Row, _ caller: AccessPeople.Person, _ expected: [Int], _ people: AccessPeople, _ client: TestClient
        ) async throws {
            let reply = try await client.send(row.method, people.path(of: row), people.body(of: row), as: caller.caller)
            let status = expected[caller.column]
            guard reply.status.code == status else {
                Issue.record("\(row.name) as \(caller.name): expected \(status), got \(reply.status.code) \(reply.text)")
                return
            }
            if status >= 400 { expectProblem(reply, nil, "\(row.name) as \(caller.name)") }
            if status == 401 {
                #expect(reply.headers[.tokenChallenge]?.hasPrefix("Bearer") == true, "\(row.name) as \(caller.name)")
            }
        }

        @Test("no way of writing a path leads from the gateway to the services' own routes", .timeLimit(.minutes(1)))
        func paths() async throws {
            let secrets = try await ShopSecrets(of: shop)
            let callers = [TestCaller.anonymous, administrator, .header(try secrets.authorizationOfService())]
            for path in [
                "/internal/events", "/INTERNAL/events", "//internal/events", "/./internal/events", "/api/../internal/events",
                "/api/orders/../../internal/events", "/api/orders/%2e%2e/%2e%2e/internal/status", "/api/orders/..%2f..%2finternal/status",
                "/api/orders/..;/..;/internal/status", "/api/orders/.%2e/.%2e/internal/status", "/%69nternal/status", "/internal%2fstatus",
                "/api/products/..%5c..%5cinternal/status", "/api/users/password-reset/../../../internal/status",
                "/api/payments/webhooks/../../../internal/status",
            ] {
                for caller in callers {
                    let reply = try await client.get(path, as: caller)
                    #expect([400, 401, 403, 404].contains(reply.status.code), "\(path): \(reply.status) \(reply.text)")
                }
            }
        }
    }
}
