import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import ProductService

@Suite("Who may do what")
struct AccessTests {
    private struct Row: Sendable {
        let method: HTTPRequest.Method
        let path: String
        /// Status for: nobody, a customer, an administrator, another service. A body is missing, so 400 is as far as a caller gets.
        let expected: [Int]
    }

    @Test("every route answers each kind of caller as the table says")
    func table() async throws {
        let rows: [Row] = [
            Row(method: .get, path: "/api/products", expected: [200, 200, 200, 200]),
            Row(method: .get, path: "/api/products/1", expected: [200, 200, 200, 200]),
            Row(method: .get, path: "/api/categories", expected: [200, 200, 200, 200]),
            Row(method: .post, path: "/api/products", expected: [401, 403, 400, 403]),
            Row(method: .patch, path: "/api/products/1", expected: [401, 403, 400, 403]),
            Row(method: .delete, path: "/api/products/99", expected: [401, 403, 404, 403]),
            Row(method: .patch, path: "/api/products/1/stock", expected: [401, 403, 400, 400]),
            Row(method: .post, path: "/api/products/1/restock", expected: [401, 403, 400, 403]),
            Row(method: .get, path: "/api/products/1/stock-movements", expected: [401, 403, 200, 403]),
            Row(method: .post, path: "/internal/reservations", expected: [401, 403, 403, 400]),
            Row(method: .delete, path: "/internal/reservations/x", expected: [401, 403, 403, 404]),
            Row(method: .post, path: "/internal/reservations/x/commit", expected: [401, 403, 403, 400]),
            Row(method: .get, path: "/internal/events", expected: [401, 403, 403, 200]),
            Row(method: .get, path: "/internal/status", expected: [401, 403, 200, 200]),
        ]
        let callers: [TestCaller] = [.anonymous, .user(7), .administrator, .service(.orders)]
        try await withService(demo: true) { client in
            for row in rows {
                for (caller, expected) in zip(callers, row.expected) {
                    let reply = try await client.send(row.method, row.path, as: caller)
                    #expect(reply.status.code == expected, "\(row.method) \(row.path) as \(caller)")
                }
            }
        }
    }

    @Test("a method that a path does not have is a 405 with Allow")
    func methods() async throws {
        try await withService { client in
            let reply = try await client.put("/api/products", as: .administrator)
            #expect(reply.status == .methodNotAllowed && reply.headers[.allow] == "GET, POST")
        }
    }
}
