import Chassis
import Foundation
import HTTPTypes

/// Holds the shop to what its customers were told: every accepted order is there, is what it was, and is no longer waiting.
struct Lookup: Sendable {
    struct Outcome: Sendable {
        /// How many accepted orders were found as they were told.
        var found = 0
        /// How many orders are in which status.
        var statuses: [String: Int] = [:]
        /// Accepted orders that are lost or altered, a sentence each.
        var lost: [String] = []
        /// Orders of which no customer knows.
        var unknown: [Int64] = []
    }

    let testimony: Testimony.State
    /// All who have an account.
    let visitors: [Visitor]

    func run() async throws -> Outcome {
        var outcome = Outcome()
        for accepted in testimony.accepted { try await find(accepted, &outcome) }
        let known = Set(testimony.accepted.map(\.order.id))
        if known.count < testimony.accepted.count { outcome.lost.append("two keys have one order") }
        for visitor in visitors { outcome.unknown += try await orders(of: visitor).filter { !known.contains($0) } }
        return outcome
    }

    private func find(_ accepted: Testimony.Accepted, _ outcome: inout Outcome) async throws {
        let id = accepted.order.id
        let response = try await accepted.visitor.patientlyGet("/api/orders/\(id)")
        guard response.status == .ok else { return outcome.lost.append("order \(id): \(response.status)") }
        let status = try JSON.decode(Status.self, from: response.body).status
        outcome.statuses[status, default: 0] += 1
        guard try JSON.decode(PlacedOrder.self, from: response.body) == accepted.order else {
            return outcome.lost.append("order \(id) is not what the customer was told")
        }
        guard status != "pending" else { return outcome.lost.append("order \(id) is still pending") }
        outcome.found += 1
    }

    private struct Status: Decodable {
        let status: String
    }

    private func orders(of visitor: Visitor) async throws -> [Int64] {
        var found: [Int64] = []
        var next: String? = "/api/orders?limit=200"
        while let path = next {
            let response = try await visitor.patientlyGet(path)
            found += try JSON.decode([Listed].self, from: response.body).map(\.id)
            next = response.headers[.link].flatMap(Self.target)
        }
        return found
    }

    private struct Listed: Decodable {
        let id: Int64
    }

    /// What stands between the angle brackets of `<…>; rel="next"`.
    private static func target(of link: String) -> String? {
        guard let start = link.firstIndex(of: "<"), let end = link.firstIndex(of: ">") else { return nil }
        return String(link[link.index(after: start)..<end])
    }
}
