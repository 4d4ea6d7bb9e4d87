import Foundation

/// What was promised did not happen in time.
struct NotInTime: Error, CustomStringConvertible {
    let description: String
}

/// Asks again and again until there is an answer. Other processes cannot be awaited, only asked; the pause leaves them the processor.
/// No answer is `Optional.none`; mind that `nil` in the place of a `JSONValue` is JSON's null, which is an answer.
@discardableResult
func eventually<Answer>(
    within limit: Duration = .seconds(30), _ promise: String, _ ask: () async throws -> Answer?
) async throws -> Answer {
    let end = ContinuousClock.now + limit
    while true {
        if let answer = try await ask() { return answer }
        guard ContinuousClock.now < end else { throw NotInTime(description: "\(promise): not within \(limit)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
