import Chassis
import Commerce
import Contracts
import Hummingbird

/// Reservations, for order-service only: the gateway never routes `/internal`.
struct ReservationsController: Controller {
    let reservations: ReservationStore

    /// A full batch of the longest reservations fits.
    private static let bodyLimitBytes = 1 << 20

    var routes: [Route] {
        [
            Route(.post, "/internal/reservations", .services, bodyLimitBytes: Self.bodyLimitBytes, reserve),
            .delete("/internal/reservations/{id}", .services, giveUp),
            .post("/internal/reservations/{id}/commit", .services, commit),
        ]
    }

    private func reserve(_ call: Call) async throws -> Response {
        let batch = try (try await call.internalBody(ReservationBatch.self)).validated()
        return try .json(ReservationReplies(outcomes: try await reservations.reserve(batch.reservations)))
    }

    private func commit(_ call: Call) async throws -> Response {
        let order = try await call.internalBody(ReservationCommitment.self).orderID
        return try .json(ReservationCommitted(isCommitted: try await reservations.commit(call.parameter("id"), for: order)))
    }

    private func giveUp(_ call: Call) async throws -> Response {
        try await reservations.giveUp(call.parameter("id"))
        return .noContent
    }
}

extension ReservationBatch {
    /// The batch when it keeps to the contract: its size, the ids' length, each product once.
    fileprivate func validated() throws(Problem) -> ReservationBatch {
        var mistakes: [Problem.Mistake] = []
        if reservations.count > Self.largest {
            mistakes.append(.init(pointer: "/reservations", detail: "must have at most \(Self.largest) elements"))
        }
        for (index, request) in reservations.prefix(Self.largest).enumerated() {
            mistakes += request.mistakes.map { .init(pointer: "/reservations/\(index)\($0.pointer)", detail: $0.detail) }
        }
        guard mistakes.isEmpty else { throw .invalid(mistakes) }
        return self
    }
}

extension ReservationRequest {
    private static let lineCounts = 1...100
    private static let idLengths = 1...64

    fileprivate var mistakes: [Problem.Mistake] {
        var mistakes: [Problem.Mistake] = []
        // What an id is made of must not matter to a path, a log or a database.
        let isPlain = id.utf8.allSatisfy { $0 >= 0x21 && $0 <= 0x7E }
        if !Self.idLengths.contains(id.utf8.count) || !isPlain {
            mistakes.append(
                .init(
                    pointer: "/id",
                    detail: "must have \(Self.idLengths.lowerBound) to \(Self.idLengths.upperBound) visible ASCII characters"))
        }
        if !Self.lineCounts.contains(lines.count) {
            mistakes.append(
                .init(pointer: "/lines", detail: "must have \(Self.lineCounts.lowerBound) to \(Self.lineCounts.upperBound) elements"))
        }
        if Set(lines.map(\.productID)).count < lines.count {
            mistakes.append(.init(pointer: "/lines", detail: "must name each product once"))
        }
        return mistakes
    }
}
