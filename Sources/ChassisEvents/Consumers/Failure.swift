import Chassis
import ChassisStorage
import HTTPTypes

/// What went wrong, seen from the loops that carry on after it.
enum Failure {
    /// Whether the database is to blame and not the work: trying again later may succeed, and says nothing about the event or job.
    static func isStorageTrouble(_ error: any Error) -> Bool {
        (error as? StorageError)?.isTransient ?? false
    }

    /// Whether another service of ours is to blame: it is down, or says that it can do nothing for now (its disk may be full, too).
    static func isNeighbourTrouble(_ error: any Error) -> Bool {
        switch error as? ServiceClientError {
        case .unavailable: true
        case .problem(let problem): problem.status == .serviceUnavailable || problem.status == .tooManyRequests
        case .timedOut, .malformedReply, .malformedRequest, .cancelled, nil: false
        }
    }

    /// What a person reads in the list of dead letters. Bounded, because it is stored.
    static func sentence(of error: any Error) -> String {
        let text: String
        switch error {
        case let problem as Problem: text = problem.detail.map { "\(problem.error): \($0)" } ?? problem.error
        default: text = "\(error)"
        }
        return String(text.prefix(longestSentence))
    }

    private static let longestSentence = 500
}
