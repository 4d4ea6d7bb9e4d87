import Chassis
import ChassisStorage
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import UserService

/// The whole service behind a real socket, with an administrator and a notification-service that keeps what it gets.
struct ServiceFixture {
    static let administratorPassword = "an administrator's password"

    let client: TestClient
    let routes: [Route]
    let messages: AsyncStream<SecretMessage>
    let announced: Lines

    /// - Parameter configure: changes the settings before the service is built.
    static func run(
        configure: (inout UserService.Settings) -> Void = { _ in }, _ body: @escaping @Sendable (ServiceFixture) async throws -> Void
    ) async throws {
        let (messages, sent) = AsyncStream<SecretMessage>.makeStream()
        let notifications = HTTPTransport { request, _ throws(TransportError) in
            guard request.url.hasSuffix("/internal/messages"), let body = request.body,
                let message = try? JSONDecoder().decode(SecretMessage.self, from: body)
            else { throw .notConnected }
            sent.yield(message)
            return InboundResponse(status: .accepted, headers: [:], body: Data())
        }
        let announced = Lines()
        let harness = try ServiceHarness(.users, transport: notifications)
        var settings = UserService.Settings(database: .sqliteMemory, passwordCost: 4, administratorPassword: administratorPassword)
        settings.announce = { announced.add($0) }
        configure(&settings)
        let service = try await UserService.assemble(settings, harness.platform)
        try await harness.run(service) { client in
            try await body(ServiceFixture(client: client, routes: service.routes, messages: messages, announced: announced))
        }
    }

    /// The next message of a kind; others are passed over.
    func message(_ kind: SecretMessage.Kind) async throws -> SecretMessage {
        for await message in messages where message.kind == kind { return message }
        throw HarnessError.didNotStart
    }

    @discardableResult
    func register(_ email: String = "ada@example.org", password: String = "correct horse", name: String = "Ada") async throws -> Int64 {
        let reply = try await client.post(
            "/api/users/register", ["name": .string(name), "email": .string(email), "password": .string(password)])
        #expect(reply.status == .created)
        return try #require(reply.json["id"].integer)
    }

    func logIn(_ email: String = "ada@example.org", password: String = "correct horse") async throws -> TestClient.Reply {
        try await client.post("/api/users/login", ["email": .string(email), "password": .string(password)])
    }

    /// Somebody who is signed in.
    func caller(_ email: String = "ada@example.org", password: String = "correct horse") async throws -> TestCaller {
        let reply = try await logIn(email, password: password)
        return .header("Bearer \(try #require(reply.json["accessToken"].string))")
    }

    func administrator() async throws -> TestCaller {
        try await caller("admin@souk.local", password: Self.administratorPassword)
    }
}

extension TestClient.Reply {
    /// The pointers of the mistakes in a problem document.
    var pointers: [String] {
        guard case .array(let errors) = json["errors"] else { return [] }
        return errors.compactMap { $0["pointer"].string }
    }
}
