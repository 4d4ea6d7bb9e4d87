import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import UserService

@Suite("The users API")
struct ContractTests {
    @Test("registers with 201 and exactly id, name and email")
    func register() async throws {
        try await ServiceFixture.run { fixture in
            let reply = try await fixture.client.post(
                "/api/users/register", ["name": " Ada ", "email": "Ada@Example.org", "password": "correct horse", "role": "admin", "id": 7])
            #expect(reply.status == .created)
            let id = try #require(reply.json["id"].integer)
            #expect(reply.json == ["id": .integer(id), "name": "Ada", "email": "Ada@Example.org"])
            #expect(reply.headers[.location] == "/api/users/\(id)")
            let me = try await fixture.client.get("/api/users/me", as: fixture.caller())
            #expect(me.json["role"] == "customer")
        }
    }

    @Test("refuses a taken email with 400 and the sentence of the reference API")
    func taken() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let reply = try await fixture.client.post(
                "/api/users/register", ["name": "Eve", "email": "ADA@example.org", "password": "another password"])
            #expect(reply.status == .badRequest)
            #expect(reply.json["error"] == "User already exists")
            #expect(reply.json["type"] == "urn:souk:problem:user-exists")
            #expect(reply.headers[.contentType] == "application/problem+json")
        }
    }

    @Test("logs in with the members of the reference API and a pair of tokens that no cache may keep")
    func logIn() async throws {
        try await ServiceFixture.run { fixture in
            let id = try await fixture.register()
            let reply = try await fixture.logIn()
            #expect(reply.status == .ok)
            #expect(reply.json["message"] == "Login successful")
            #expect(reply.json["userId"] == .integer(id))
            #expect(reply.json["tokenType"] == "Bearer")
            #expect(reply.json["expiresIn"] == 900)
            #expect(reply.json.count == 6)
            #expect(reply.headers[.cacheControl] == "no-store")
        }
    }

    @Test("answers a wrong password and an unknown email with the same 401")
    func invalidCredentials() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let wrong = try await fixture.logIn(password: "x")
            let unknown = try await fixture.logIn("nobody@example.org")
            #expect(wrong.status == .unauthorized && wrong.json["error"] == "Invalid credentials")
            #expect(wrong.body == unknown.body && wrong.status == unknown.status)
            #expect(wrong.headers[.wwwAuthenticate] == "Bearer")
        }
    }

    @Test("refuses with 429 and Retry-After when logins of an account keep failing, even with the right password")
    func throttledAccount() async throws {
        let limit = LoginThrottle.Limit(slowFrom: 100, refuseFrom: 3, forgivenEvery: .seconds(90))
        try await ServiceFixture.run(configure: { $0.accountLimit = limit }) { fixture in
            try await fixture.register()
            for _ in 0..<3 { #expect(try await fixture.logIn(password: "wrong horse").status == .unauthorized) }
            let refused = try await fixture.logIn()
            #expect(refused.status == .tooManyRequests && refused.json["error"] == "Too many failed logins")
            let seconds = try #require(refused.headers[.retryAfter].flatMap { Int($0) })
            #expect((1...90).contains(seconds))
        }
    }

    @Test("counts failures by the address that the gateway wrote last")
    func throttledAddress() async throws {
        let limit = LoginThrottle.Limit(slowFrom: 100, refuseFrom: 3, forgivenEvery: .seconds(60))
        try await ServiceFixture.run(configure: { $0.addressLimit = limit }) { fixture in
            func status(_ number: Int, from address: String) async throws -> HTTPResponse.Status {
                try await fixture.client.post(
                    "/api/users/login", ["email": .string("user\(number)@example.org"), "password": "x"],
                    headers: [HTTPField.Name("X-Forwarded-For")!: address]
                ).status
            }
            for number in 0..<3 { #expect(try await status(number, from: "6.6.6.\(number), 203.0.113.9") == .unauthorized) }
            let again = try await status(4, from: "6.6.6.7, 203.0.113.9")
            let elsewhere = try await status(5, from: "203.0.113.10")
            #expect(again == .tooManyRequests && elsewhere == .unauthorized)
        }
    }

    @Test("trades a refresh token for a new pair, once, and logs out")
    func tokens() async throws {
        try await ServiceFixture.run { fixture in
            let id = try await fixture.register()
            let first = try #require(try await fixture.logIn().json["refreshToken"].string)
            let pair = try await fixture.client.post("/api/users/token", ["refreshToken": .string(first)])
            #expect(pair.status == .ok && pair.json["userId"] == .integer(id))
            let access = try #require(pair.json["accessToken"].string)
            #expect(try await fixture.client.get("/api/users/me", as: .header("Bearer \(access)")).status == .ok)

            let second = try #require(pair.json["refreshToken"].string)
            let loggedOut = try await fixture.client.post("/api/users/logout", ["refreshToken": .string(second)])
            #expect(loggedOut.status == .noContent && loggedOut.body.isEmpty)
            for token in [first, second, "nonsense"] {
                let reply = try await fixture.client.post("/api/users/token", ["refreshToken": .string(token)])
                #expect(reply.status == .unauthorized && reply.json["error"] == "Invalid refresh token")
            }
        }
    }

    @Test("shows a profile without the password in any form")
    func show() async throws {
        try await ServiceFixture.run { fixture in
            let id = try await fixture.register()
            let caller = try await fixture.caller()
            for path in ["/api/users/\(id)", "/api/users/me"] {
                let reply = try await fixture.client.get(path, as: caller)
                #expect(reply.status == .ok)
                #expect(reply.json["id"] == .integer(id) && reply.json["name"] == "Ada" && reply.json["email"] == "ada@example.org")
                #expect(reply.json["notifications"] == ["email": true, "sms": false])
                #expect(!reply.text.lowercased().contains("password") && !reply.text.contains("scrypt"))
                #expect(reply.json["createdAt"].string?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
            }
        }
    }

    @Test("changes a profile member by member, and null takes the phone number away")
    func change() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let caller = try await fixture.caller()
            func patch(_ body: JSONValue) async throws -> TestClient.Reply {
                try await fixture.client.patch("/api/users/me", body, as: caller)
            }
            #expect(try await patch(["notifications": ["sms": true]]).pointers == ["/notifications/sms"])
            let changed = try await patch(["name": "Countess", "phone": "+4912345678", "notifications": ["sms": true, "email": false]])
            #expect(changed.status == .ok && changed.json["name"] == "Countess" && changed.json["phone"] == "+4912345678")
            #expect(changed.json["notifications"] == ["email": false, "sms": true])
            let removed = try await patch(["phone": nil])
            #expect(removed.json["phone"] == .null && removed.json["notifications"] == ["email": false, "sms": false])
            #expect(removed.json["name"] == "Countess")
            #expect(try await fixture.client.get("/api/users/me", as: caller).json == removed.json)
        }
    }

    @Test("erases an account: it is gone for everybody, and its email can be registered again")
    func erase() async throws {
        try await ServiceFixture.run { fixture in
            let id = try await fixture.register()
            let caller = try await fixture.caller()
            #expect(try await fixture.client.delete("/api/users/me", as: caller).status == .noContent)
            #expect(try await fixture.client.get("/api/users/me", as: caller).status == .notFound)
            #expect(try await fixture.client.get("/api/users/\(id)", as: fixture.administrator()).json["error"] == "User not found")
            #expect(try await fixture.logIn().status == .unauthorized)
            #expect(try await fixture.register() != id)
        }
    }

    @Test("changes a password only for who knows it, and ends the sessions")
    func changePassword() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let login = try await fixture.logIn()
            let caller = TestCaller.header("Bearer \(login.json["accessToken"].string ?? "")")
            let wrong = try await fixture.client.put(
                "/api/users/me/password", ["currentPassword": "wrong", "newPassword": "battery staple"], as: caller)
            #expect(wrong.status == .badRequest && wrong.pointers == ["/currentPassword"])
            let right = try await fixture.client.put(
                "/api/users/me/password", ["currentPassword": "correct horse", "newPassword": "battery staple"], as: caller)
            #expect(right.status == .noContent)
            let refresh = try await fixture.client.post("/api/users/token", ["refreshToken": login.json["refreshToken"]])
            #expect(refresh.status == .unauthorized)
            #expect(try await fixture.logIn(password: "battery staple").status == .ok)
        }
    }

    @Test("resets a forgotten password by a message, and answers 202 whoever is named")
    func passwordReset() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let unknown = try await fixture.client.post("/api/users/password-reset", ["email": "nobody@example.org"])
            let known = try await fixture.client.post("/api/users/password-reset", ["email": "ada@example.org"])
            #expect(unknown.status == .accepted && known.status == .accepted && unknown.body == known.body)
            let message = try await fixture.message(.resetPassword)
            #expect(message.email == "ada@example.org")
            let body: JSONValue = ["token": .string(message.token), "newPassword": "battery staple"]
            #expect(try await fixture.client.post("/api/users/password-reset/confirm", body).status == .noContent)
            let again = try await fixture.client.post("/api/users/password-reset/confirm", body)
            #expect(again.status == .badRequest && again.json["type"] == "urn:souk:problem:invalid-token")
            #expect(try await fixture.logIn(password: "battery staple").status == .ok)
        }
    }

    @Test("verifies an email by the message that a registration sends")
    func verifyEmail() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let caller = try await fixture.caller()
            #expect(try await fixture.client.get("/api/users/me", as: caller).json["emailVerified"] == false)
            let message = try await fixture.message(.verifyEmail)
            let verified = try await fixture.client.post("/api/users/verify-email", ["token": .string(message.token)])
            #expect(verified.status == .noContent)
            #expect(try await fixture.client.get("/api/users/me", as: caller).json["emailVerified"] == true)
            #expect(try await fixture.client.post("/api/users/verify-email", ["token": "nonsense"]).status == .badRequest)
            #expect(try await fixture.client.post("/api/users/verify-email", as: caller).status == .accepted)
            #expect(try await fixture.client.post("/api/users/verify-email", [:], as: caller).status == .accepted)
            #expect(try await fixture.client.post("/api/users/verify-email", [:]).status == .unauthorized)
        }
    }

    @Test("lists accounts for administrators, page by page")
    func list() async throws {
        try await ServiceFixture.run { fixture in
            for number in 0..<5 { try await fixture.register("user\(number)@example.org") }
            let administrator = try await fixture.administrator()
            #expect(try await fixture.client.get("/api/users?search=a%00b", as: administrator).pointers == ["?search"])
            let first = try await fixture.client.get("/api/users?search=USER&limit=3", as: administrator)
            #expect(first.status == .ok && first.json.count == 3)
            let link = try #require(first.headers[.link])
            let target = try #require(link.firstMatch(of: /<([^>]+)>; rel="next"/)?.1)
            let second = try await fixture.client.get(String(target), as: administrator)
            #expect(second.json.count == 2 && second.headers[.link] == nil)
            #expect(try await fixture.client.get("/api/users?cursor=abc", as: administrator).status == .badRequest)
            #expect(try await fixture.client.get("/api/users?limit=0", as: administrator).status == .badRequest)
            #expect(!first.text.contains("scrypt"))
        }
    }

    @Test("prints a random administrator's password once, and only when none is set")
    func administrator() async throws {
        try await ServiceFixture.run(configure: { $0.administratorPassword = nil }) { fixture in
            #expect(fixture.announced.all.count == 1)
            let password = try #require(fixture.announced.all.first?.firstMatch(of: /password: (\S+)/)?.1)
            #expect(try await fixture.logIn("admin@souk.local", password: String(password)).status == .ok)
        }
        try await ServiceFixture.run { fixture in
            #expect(fixture.announced.all.isEmpty)
            let administrator = try await fixture.administrator()
            #expect(try await fixture.client.get("/api/users", as: administrator).status == .ok)
        }
    }

    @Test("publishes public keys only, and lets them be kept")
    func keySet() async throws {
        try await ServiceFixture.run { fixture in
            let reply = try await fixture.client.get("/.well-known/jwks.json")
            #expect(reply.status == .ok && reply.headers[.cacheControl] == "public, max-age=300")
            let key = reply.json["keys"][0]
            #expect(key["kty"] == "EC" && key["crv"] == "P-256" && key["alg"] == "ES256" && key["use"] == "sig")
            #expect(key["d"] == .null && key["x"].string?.count == 43)
        }
    }

    @Test("tells its events to other services, without secrets")
    func feed() async throws {
        try await ServiceFixture.run { fixture in
            try await fixture.register()
            let path = "/internal/events?after=0&limit=100&wait=0"
            let reply = try await fixture.client.get(path, as: .service(.notifications))
            #expect(reply.status == .ok && reply.text.contains(UserRegistered.eventType) && !reply.text.contains("scrypt"))
            #expect(try await fixture.client.get(path).status == .unauthorized)
            #expect(try await fixture.client.get(path, as: fixture.administrator()).status == .forbidden)
        }
    }
}
