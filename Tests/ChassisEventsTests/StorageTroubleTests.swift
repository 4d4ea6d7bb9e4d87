import Chassis
import ChassisStorage
import ChassisTesting
import Contracts
import HTTPTypes
import Hummingbird
import Testing

@Suite("What a client and an operator are told of a database in trouble")
struct StorageTroubleTests {
    /// Throws what the database threw.
    private struct Refusing: Controller {
        let error: StorageError

        var routes: [Route] { [.get("/api/trouble", .anyone, refuse)] }

        @Sendable private func refuse(_ call: Call) async throws -> Response { throw error }
    }

    @Test(
        "503 with Retry-After and a sentence that tells nothing of the inside, never a 500",
        arguments: [
            (StorageError.diskFull, "Nothing can be stored at the moment, try again later", "10"),
            (.readOnly, "Nothing can be stored at the moment, try again later", "10"),
            (.corrupt, "The data cannot be reached at the moment, try again later", "10"),
            (.moved("/var/shop.sqlite is gone"), "The data cannot be reached at the moment, try again later", "10"),
            (.unavailable, "The data cannot be reached at the moment, try again later", "10"),
            (.busy, "The service is busy, try again", "1"), (.overloaded, "The service is busy, try again", "1"),
        ])
    func answers(error: StorageError, sentence: String, retryAfter: String) async throws {
        let harness = try ServiceHarness(.orders)
        var service = Service(.orders, authenticator: harness.platform.authenticator())
        service.add(Refusing(error: error))
        service.requires("database") { throw error }
        try await harness.run(service) { client in
            let reply = try await client.get("/api/trouble")
            #expect(reply.status == .serviceUnavailable)
            #expect(reply.headers[.retryAfter] == retryAfter)
            #expect(reply.headers[.contentType] == "application/problem+json")
            #expect(reply.json["error"].string == sentence)
            #expect(!reply.text.contains("sqlite"))
            for path in ["/ready", "/health"] {
                let health = try await client.get(path)
                #expect(health.status == .serviceUnavailable)
                #expect(health.json["failing"].array == ["database"])
                #expect(health.json["reasons"]["database"].string == error.message)
            }
            #expect(try await client.get("/live").status == .ok)
        }
    }
}
