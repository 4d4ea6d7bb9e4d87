import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import UserService

@Suite("A bad request")
struct BadRequestTests {
    /// Route, body, and the pointers of all its mistakes.
    private static let bodies: [(HTTPRequest.Method, String, JSONValue, [String])] = [
        (.post, "/api/users/register", [:], ["/name", "/email", "/password"]),
        (.post, "/api/users/register", ["name": 1, "email": [], "password": ["a": 1]], ["/name", "/email", "/password"]),
        (.post, "/api/users/register", ["name": "", "email": "a@b", "password": "1234567"], ["/name", "/email", "/password"]),
        (.post, "/api/users/register", ["name": "   ", "email": "a@b.c", "password": "12345678"], ["/name"]),
        (.post, "/api/users/register", ["name": "a\nb", "email": "a b@c.d", "password": nil], ["/name", "/email", "/password"]),
        (
            .post, "/api/users/register",
            [
                "name": .string(String(repeating: "x", count: 101)), "email": .string(String(repeating: "x", count: 300) + "@example.org"),
                "password": .string(String(repeating: "x", count: 129)),
            ], ["/name", "/email", "/password"]
        ),
        (.post, "/api/users/login", ["email": true, "password": 1.5], ["/email", "/password"]),
        (.post, "/api/users/login", ["email": "", "password": ""], ["/email", "/password"]),
        (.post, "/api/users/token", ["refreshToken": 17], ["/refreshToken"]),
        (.post, "/api/users/logout", [:], ["/refreshToken"]),
        (.post, "/api/users/password-reset", ["email": "nobody"], ["/email"]),
        (.post, "/api/users/password-reset/confirm", ["token": 1, "newPassword": "short"], ["/token", "/newPassword"]),
        (.post, "/api/users/verify-email", ["token": 1], ["/token"]),
        (
            .patch, "/api/users/me", ["name": 5, "phone": "0123", "notifications": ["email": "yes", "sms": 1]],
            ["/name", "/phone", "/notifications/email", "/notifications/sms"]
        ),
        (.patch, "/api/users/me", ["notifications": true], ["/notifications"]),
        (.put, "/api/users/me/password", ["newPassword": "short"], ["/currentPassword", "/newPassword"]),
    ]

    @Test("is a 400 that tells all its mistakes at once, and changes nothing")
    func bodies() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let caller = try await fixture.caller()
            let before = try await fixture.client.get("/api/users/me", as: caller).json
            for (method, path, body, pointers) in Self.bodies {
                let reply = try await fixture.client.send(method, path, body, as: caller)
                #expect(reply.status == .badRequest && reply.pointers == pointers, "\(path) \(body): \(reply.text)")
                #expect(reply.headers[.contentType] == "application/problem+json")
            }
            #expect(try await fixture.client.get("/api/users/me", as: caller).json == before)
            let all = try await fixture.client.get("/api/users", as: fixture.administrator())
            #expect(all.json.count == 2)
        }
    }

    @Test("is told when it is no JSON, no object, another type, or too large")
    func notJSON() async throws {
        try await ServiceFixture.run { fixture in
            let large = #"{"name":""# + String(repeating: "x", count: 2_000_000) + #""}"#
            let requests: [(body: String, type: String, status: HTTPResponse.Status)] = [
                ("{\"name\":", "application/json", .badRequest), ("", "application/json", .badRequest),
                ("[]", "application/json", .badRequest),
                ("\u{0}\u{1}", "application/json", .badRequest), ("{}", "text/plain", .unsupportedMediaType),
                (large, "application/json", .contentTooLarge),
            ]
            for request in requests {
                let reply = try await fixture.client.send(
                    .post, "/api/users/register", bytes: Data(request.body.utf8), headers: [.contentType: request.type])
                #expect(reply.status == request.status && reply.headers[.contentType] == "application/problem+json")
            }
        }
    }

    @Test(
        "for an id that is none is the 404 of an unknown id",
        arguments: [
            "-1", "0", "abc", "1e3", "+1", "1.0", "%20", "99999999999999999999", "999999999",
        ])
    func ids(_ id: String) async throws {
        try await ServiceFixture.run { fixture in
            let reply = try await fixture.client.get("/api/users/\(id)", as: fixture.administrator())
            #expect(reply.status == .notFound && reply.json["error"] == "User not found")
        }
    }

    @Test("for what is nowhere is a 404 with a document", arguments: ["/nothing", "/api/users/7/nothing", "/"])
    func nowhere(path: String) async throws {
        try await ServiceFixture.run { fixture in
            let reply = try await fixture.client.get(path)
            #expect(reply.status == .notFound && reply.headers[.contentType] == "application/problem+json")
            #expect(reply.json["error"] == "Not found" && reply.json["instance"].string == path)
        }
    }

    @Test("with another method is a 405 that names those there are")
    func methods() async throws {
        try await ServiceFixture.run { fixture in
            let reply = try await fixture.client.put("/api/users/login", [:])
            #expect(reply.status == .methodNotAllowed && reply.headers[.allow] == "POST")
            for method in [HTTPRequest.Method.options, .trace, .init("SEARCH")!] {
                let reply = try await fixture.client.send(method, "/api/users/login")
                #expect(reply.status == .methodNotAllowed && reply.headers[.allow] == "POST", "\(method)")
            }
            let me = try await fixture.client.post("/api/users/me", [:])
            #expect(me.status == .methodNotAllowed && me.headers[.allow] == "DELETE, GET, PATCH")
            let user = try await fixture.client.send(.delete, "/api/users/7")
            #expect(user.status == .methodNotAllowed && user.headers[.allow] == "GET")
        }
    }
}

@Suite("What is not one's own")
struct OwnershipTests {
    /// Every route of the API with the status for: nobody, Ada (whose account `{id}` is), Bob, an administrator, another service.
    private static let table: [(String, String, [Int])] = [
        ("POST", "/api/users/register", [400, 400, 400, 400, 400]),
        ("POST", "/api/users/login", [400, 400, 400, 400, 400]),
        ("POST", "/api/users/token", [400, 400, 400, 400, 400]),
        ("POST", "/api/users/logout", [400, 400, 400, 400, 400]),
        ("POST", "/api/users/password-reset", [400, 400, 400, 400, 400]),
        ("POST", "/api/users/password-reset/confirm", [400, 400, 400, 400, 400]),
        ("POST", "/api/users/verify-email", [401, 202, 202, 202, 401]),
        ("GET", "/.well-known/jwks.json", [200, 200, 200, 200, 200]),
        ("GET", "/api/users", [401, 403, 403, 200, 403]),
        ("GET", "/api/users/{id}", [401, 200, 404, 200, 403]),
        ("GET", "/api/users/me", [401, 200, 200, 200, 403]),
        ("PATCH", "/api/users/me", [401, 200, 200, 200, 403]),
        ("PUT", "/api/users/me/password", [401, 400, 400, 400, 403]),
        ("DELETE", "/api/users/me", [401, 204, 204, 204, 403]),
    ]

    @Test("is neither seen nor changed, on every route there is")
    func everyRoute() async throws {
        try await ServiceFixture.run { fixture in
            let ada = try await fixture.register("ada@example.org")
            try await fixture.register("bob@example.org")
            let callers: [TestCaller] = [
                .anonymous, try await fixture.caller("ada@example.org"), try await fixture.caller("bob@example.org"),
                try await fixture.administrator(), .service(.orders),
            ]
            let listed = Set(Self.table.map { "\($0.0) \($0.1)" })
            let served = fixture.routes.map { "\($0.method.rawValue) \($0.path)" }.filter { !$0.contains("/internal/") }
            #expect(Set(served) == listed)
            for (method, path, expected) in Self.table {
                let target = path.replacing("{id}", with: "\(ada)")
                for (caller, status) in zip(callers, expected) {
                    let reply = try await fixture.client.send(.init(method)!, target, method == "GET" ? nil : [:], as: caller)
                    #expect(reply.status.code == status, "\(method) \(path)")
                }
            }
        }
    }

    @Test("is not opened by a token of another key")
    func foreignToken() async throws {
        try await ServiceFixture.run { fixture in
            let ada = try await fixture.register("ada@example.org")
            for caller in [TestCaller.user(ada), .administrator, .header("Bearer nonsense"), .header("Basic YTpi")] {
                #expect(try await fixture.client.get("/api/users/\(ada)", as: caller).status == .unauthorized)
            }
        }
    }
}
