@testable import HTTPProxy

/// What the script does, once more: for tests whose time is not the clock's. `SharedArrivalScriptTests` holds the two together.
struct ModelServer {
    private struct Arrival {
        let time: Int64
        let forgottenAt: Int64
    }

    private var arrivals: [String: Arrival] = [:]
    private var numbers: [String: Int] = [:]

    /// - Parameter now: nanoseconds.
    /// - Returns: the leads, in nanoseconds.
    mutating func answer(_ question: SharedArrivalScript.Question, now: Int64) -> [Int64] {
        let isNew = numbers[question.sender, default: 0] < question.number
        numbers[question.sender] = question.number
        return question.entries.map { entry in
            var time = arrivals[entry.key].flatMap { $0.forgottenAt > now ? $0.time : nil } ?? 0
            if isNew {
                time = max(time + entry.total, now + entry.lead)
                let slack = Int64(SharedArrivalScript.slackMilliseconds) * 1_000_000
                arrivals[entry.key] = Arrival(time: time, forgottenAt: time + slack)
            }
            return max(0, time - now)
        }
    }

    /// As after a restart without a file.
    mutating func forget() { self = ModelServer() }
}
