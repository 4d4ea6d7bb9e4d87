// What a database's trouble is, in one place for all its connections.
//
// A connection meets trouble with every statement that it runs, and there may be thousands a second. A person needs one line when it begins, with
// the file, the cause and what to do, and one when it is over. Reading and writing are kept apart: on a full disk reads succeed all the
// time, which says nothing about writes. Trouble that comes and goes within a second is told once.
//
// Two kinds of trouble are about the file as a whole, and block it for all connections:
//
// - **Damage.** Where one page is damaged others may be, and an answer from them may be wrong without an error. So nothing more is read or
//   written, until `PRAGMA quick_check` finds nothing: somebody has put the file in order. The check reads the whole file, so that it is
//   made by one connection at a time, when somebody asks for something, and not again within a second.
// - **Another file** under the name (`FileIdentity`). What would be written now is lost, and what is read may not be what others see. It
//   ends when the name leads to the file again. The connections stay open meanwhile: what only they have can still be saved from
//   `/proc/PID/fd`.

import Logging
import Synchronization

/// What is wrong with a SQLite database now, and the line in the log when that changes.
final class DatabaseCondition: Sendable {
    enum Activity: Sendable, Hashable { case reading, writing }

    private struct State {
        /// What went wrong last, in activities that did not succeed since.
        var troubles: [Activity: StorageError] = [:]
        /// Keeps everybody away from the file.
        var block: StorageError?
        /// Counts the ends of blocks: what a connection of an earlier epoch has in its cache may be of the damaged file.
        var epoch = 0
        var isExamining = false
        var examinationAllowedAt: ContinuousClock.Instant
        /// What was logged and is not over.
        var announced: StorageError?
        var lastFailure: ContinuousClock.Instant
        var identity: FileIdentity?
    }

    /// How long trouble must be over to be called so, and how long after a check of a damaged file the next one is made.
    private static let calm: Duration = .seconds(1)

    private let path: String
    private let logger: Logger
    private let clock = ContinuousClock()
    private let state: Mutex<State>

    /// - Parameter path: the file's name for a person.
    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
        let now = clock.now
        state = Mutex(State(examinationAllowedAt: now, lastFailure: now))
    }

    // MARK: What is wrong

    /// Whether the last write failed, or everything is kept from the file.
    var writingFails: Bool { state.withLock { $0.block != nil || $0.troubles[.writing] != nil } }

    /// The error as a person reads it: with the file, and what to do.
    func explained(_ error: StorageError) -> StorageError {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return StorageError(error.code, "\(name): \(error.message)\(error.remedy.map { "; \($0)" } ?? "")")
    }

    func failed(_ error: StorageError, _ activity: Activity) {
        let now = clock.now
        let isNews = state.withLock { state in
            state.troubles[activity] = error
            if error.isCorrupt || error.isMoved { state.block = state.block ?? error }
            state.lastFailure = now
            guard state.announced?.code != error.code else { return false }
            state.announced = error
            return true
        }
        guard isNews else { return }
        logger.error(
            "the database fails",
            metadata: ["file": "\(path)", "error": "\(error.message)", "remedy": "\(error.remedy ?? "it may pass by itself")"])
    }

    func succeeded(_ activity: Activity) {
        let isOver = state.withLock { state in
            guard state.announced != nil || !state.troubles.isEmpty else { return false }
            state.troubles[activity] = nil
            guard state.announced != nil, state.troubles.isEmpty, state.block == nil, clock.now - state.lastFailure >= Self.calm else {
                return false
            }
            state.announced = nil
            return true
        }
        if isOver { logger.notice("the database works again", metadata: ["file": "\(path)"]) }
    }

    // MARK: The file as a whole

    /// The epoch in which a connection may be used; a connection of an earlier one must be opened anew.
    ///
    /// - Parameter examine: looks whether what blocks the file is over, and throws while it is not.
    /// - Throws: what blocks the file.
    func epoch(_ examine: (_ reason: StorageError) throws(StorageError) -> Void) throws(StorageError) -> Int {
        let now = clock.now
        let (block, epoch, mayExamine) = state.withLock { state in
            guard let block = state.block else { return (StorageError?.none, state.epoch, false) }
            guard !state.isExamining, now >= state.examinationAllowedAt else { return (block, state.epoch, false) }
            state.isExamining = true
            return (block, state.epoch, true)
        }
        guard let block else { return epoch }
        guard mayExamine else { throw block }
        do {
            try examine(block)
        } catch {
            examined(block, isOver: false)
            throw error
        }
        examined(block, isOver: true)
        return epoch + 1
    }

    private func examined(_ block: StorageError, isOver: Bool) {
        let now = clock.now
        state.withLock { state in
            state.isExamining = false
            if isOver {
                state.block = nil
                state.epoch += 1
            } else if block.isCorrupt {
                state.examinationAllowedAt = now + Self.calm
            }
        }
    }

    /// Remembers the files that were opened. The file stays the first one for ever; its log is a new one when all connections were closed.
    func opened(_ identity: FileIdentity) {
        state.withLock { $0.identity = identity }
    }

    /// - Parameter log: whether the log is asked for, too: it is there as long as a connection is open.
    /// - Throws: ``StorageError`` (moved).
    func checkIdentity(log: Bool) throws(StorageError) {
        try state.withLock(\.identity)?.check(log: log)
    }
}
