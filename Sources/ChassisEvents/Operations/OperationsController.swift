import Chassis
import HTTPTypes
import Hummingbird

/// What an operator sees of a service's events and jobs, and may do about them. `souk dead` and `souk status` are its clients.
struct OperationsController: Controller {
    let deadLetters: DeadLetters
    let status: StatusReader

    var routes: [Route] {
        [
            .get("/internal/status", .administratorsAndServices, report),
            .get("/internal/dead-letters", .administratorsAndServices, list),
            .get("/internal/dead-letters/{id}", .administratorsAndServices, show),
            .post("/internal/dead-letters/{id}/replay", .administratorsAndServices, replay),
            .delete("/internal/dead-letters/{id}", .administratorsAndServices, discard),
        ]
    }

    private func report(_ call: Call) async throws -> Response {
        try .json(try await status.read())
    }

    private func list(_ call: Call) async throws -> Response {
        try .json(try await deadLetters.list())
    }

    private func show(_ call: Call) async throws -> Response {
        guard let letter = try await deadLetters.find(try id(call)) else { throw Self.notFound }
        return try .json(letter)
    }

    private func replay(_ call: Call) async throws -> Response {
        do {
            try await deadLetters.replay(try id(call))
        } catch let error as DeadLetters.ReplayError {
            throw error.problem
        }
        return .noContent
    }

    private func discard(_ call: Call) async throws -> Response {
        do {
            try await deadLetters.discard(try id(call))
        } catch let error as DeadLetters.DiscardError {
            throw error.problem
        }
        return .noContent
    }

    private func id(_ call: Call) throws(Problem) -> DeadLetter.ID {
        guard let id = DeadLetter.ID(try call.parameter("id")) else { throw Self.notFound }
        return id
    }

    fileprivate static let notFound = Problem.notFound("Dead letter not found")
}

extension DeadLetters.DiscardError {
    fileprivate var problem: Problem {
        switch self {
        case .notFound: OperationsController.notFound
        case .indispensable(let kind):
            Problem(
                .conflict, "indispensable-job", "A job \(kind) is not discarded: it must be done",
                detail: "Given up, it would leave money taken or owed for ever. Mend what hindered it and replay it.")
        }
    }
}

extension DeadLetters.ReplayError {
    fileprivate var problem: Problem {
        switch self {
        case .notFound: OperationsController.notFound
        case .failedAgain(let error): .conflict("replay-failed", "The event failed again").with(detail: error)
        case .noHandler(let type): .conflict("no-handler", "This service does not handle \(type)")
        }
    }
}
