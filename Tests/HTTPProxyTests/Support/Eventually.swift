/// What a test waited for did not happen in time.
struct NeverHappened: Error, CustomStringConvertible {
    let description: String
}

/// Looks again and again until `condition` holds. Nothing here is awaited that could be: only what has no end that it tells. The pause between looks leaves
/// the processor to those who are to bring it about.
///
/// - Parameter state: what there is instead, for the message.
/// - Throws: `NeverHappened` when `limit` is over; what `condition` throws; `CancellationError`.
func eventually(
    within limit: Duration = .seconds(60), state: @autoclosure () -> String = "", file: String = #fileID, line: Int = #line,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else {
            throw NeverHappened(description: "\(file):\(line): not within \(limit). \(state())")
        }
        try await Task.sleep(for: .milliseconds(1))
    }
}
