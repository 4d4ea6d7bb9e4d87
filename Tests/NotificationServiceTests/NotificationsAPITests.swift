import Chassis
import ChassisStorage
import ChassisTesting
import Contracts
import HTTPTypes
import Testing

@testable import NotificationService

@Suite("The notifications API")
struct NotificationsAPITests {
    /// Runs `body` with a message for user 7 and one for user 8.
    private func twoUsers(_ body: @escaping @Sendable (NotificationShop) async throws -> Void) async throws {
        try await NotificationShop.open { shop in
            try await shop.register(7, name: "Ada")
            try await shop.register(8, name: "Bob", email: "bob@example.org")
            _ = try await shop.messages(2, "kept")
            try await body(shop)
        }
    }

    @Test("a customer sees the customer's own messages, an administrator all, newest first")
    func ownership() async throws {
        try await twoUsers { shop in
            #expect(try await shop.messages(as: .user(7)).map { $0["userId"] } == [7])
            #expect(try await shop.messages(as: .user(8)).map { $0["userId"] } == [8])
            #expect(try await shop.messages(as: .user(9)) == [])
            #expect(try await shop.messages().map { $0["userId"] } == [8, 7])
            let message = try await shop.messages(as: .user(7))[0]
            #expect(
                message.members == ["id", "userId", "kind", "channel", "status", "subject", "text", "html", "attempts", "createdAt"])
        }
    }

    @Test("who may do what")
    func access() async throws {
        try await twoUsers { shop in
            let id = try #require(try await shop.messages(as: .user(7))[0]["id"].integer)
            let table: [(HTTPRequest.Method, String, [(TestCaller, Int)])] = [
                (.get, "/api/notifications", [(.anonymous, 401), (.user(7), 200), (.administrator, 200), (.service(.users), 403)]),
                (
                    .post, "/api/notifications/\(id)/resend",
                    [(.anonymous, 401), (.user(7), 403), (.user(8), 403), (.service(.users), 403), (.administrator, 202)]
                ),
                (.post, "/internal/messages", [(.anonymous, 401), (.user(7), 403), (.administrator, 403), (.service(.users), 400)]),
            ]
            for (method, path, rows) in table {
                for (caller, status) in rows {
                    let reply = try await shop.client.send(method, path, method == .post ? [:] : nil, as: caller)
                    #expect(reply.status.code == status, "\(method) \(path) as \(caller)")
                }
            }
        }
    }

    @Test("the list is read in pages, without a gap or a repeat")
    func pages() async throws {
        try await NotificationShop.open { shop in
            try await shop.register()
            for order in Int64(1)...6 { try await shop.ship(order) }
            let all = try await shop.messages(7, "kept").map { $0["id"] }
            var found: [JSONValue] = []
            var path: String? = "/api/notifications?limit=3"
            var sizes: [Int] = []
            while let next = path {
                let reply = try await shop.client.get(next, as: .user(7))
                found += reply.json.array.map { $0["id"] }
                sizes.append(reply.json.count)
                path = reply.headers[.link].map { String($0.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" }) }
            }
            #expect(found == all && sizes == [3, 3, 1])
        }
    }

    @Test(
        "a status chooses; a value that is none is told",
        arguments: [
            ("?status=sent", 200, 0), ("?status=kept", 200, 2), ("?status=lost", 400, 0), ("?limit=0", 400, 0), ("?limit=201", 400, 0),
            ("?limit=x", 400, 0), ("?cursor=abc", 400, 0), ("?cursor=-1", 400, 0),
        ])
    func query(query: String, status: Int, count: Int) async throws {
        try await twoUsers { shop in
            let reply = try await shop.client.get("/api/notifications\(query)", as: .administrator)
            #expect(reply.status.code == status)
            if status == 200 { #expect(reply.json.count == count) }
            if status == 400 { #expect(reply.json["errors"].count == 1) }
        }
    }

    @Test("what is not there cannot be sent again", arguments: ["999", "0", "-1", "abc", "99999999999999999999"])
    func resendUnknown(id: String) async throws {
        try await NotificationShop.open { shop in
            let reply = try await shop.client.post("/api/notifications/\(id)/resend", as: .administrator)
            #expect(reply.status == .notFound && reply.json["error"] == "Notification not found")
        }
    }

    @Test("the service says who it is and that it is well")
    func health() async throws {
        let harness = try ServiceHarness(.notifications)
        let service = try await NotificationService.assemble(.init(database: .sqliteMemory), harness.platform)
        try await harness.run(service) { client in
            let health = try await client.get("/health")
            #expect(health.status == .ok && health.json["service"] == "notification-service")
        }
    }
}
