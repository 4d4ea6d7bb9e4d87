import Chassis
import ChassisStorage
import Commerce
import Contracts
import Foundation

/// Everything of one service that waits for a person, events and jobs alike, and what a person can do about it.
struct DeadLetters: Sendable {
    let database: Database
    let queue: JobQueue
    let indispensable: IndispensableJobs
    let consumers: ConsumerRegistry
    let time: TimeSource

    /// Letters that one list shows, at most, of each kind.
    static let longestList = 500

    func list() async throws -> [DeadLetter] {
        try await database.read { transaction in
            let events = try DeadEvents.list(limit: Self.longestList, in: transaction)
            let jobs = try DeadJobs.list(limit: Self.longestList, in: transaction)
            return (events + jobs).sorted { $0.since < $1.since }
        }
    }

    func find(_ id: DeadLetter.ID) async throws -> DeadLetter? {
        try await database.read { transaction in
            switch id {
            case .event(let number): try DeadEvents.find(number, in: transaction)
            case .job(let number): try DeadJobs.find(number, in: transaction)
            }
        }
    }

    /// Why a letter was not discarded.
    enum DiscardError: Error {
        case notFound
        case indispensable(kind: String)
    }

    /// Forgets a letter for good.
    ///
    /// - Throws: ``DiscardError``; `StorageError`.
    func discard(_ id: DeadLetter.ID) async throws {
        let isGone = try await database.write { [indispensable] transaction in
            switch id {
            case .event(let number): return try DeadEvents.remove(number, in: transaction)
            case .job(let number):
                if let kind = try DeadJobs.find(number, in: transaction)?.type, indispensable.contains(kind) {
                    throw DiscardError.indispensable(kind: kind)
                }
                return try DeadJobs.remove(number, in: transaction)
            }
        }
        guard isGone else { throw DiscardError.notFound }
    }

    /// Why a letter was not replayed.
    enum ReplayError: Error {
        case notFound
        /// The event's handler threw again; it stays dead.
        case failedAgain(String)
        /// This service no longer handles such events.
        case noHandler(type: String)
    }

    /// Tries once more. An event is applied at once, in one transaction with its removal; a job becomes due, with all its attempts before it.
    ///
    /// - Throws: ``ReplayError``; `StorageError`.
    func replay(_ id: DeadLetter.ID) async throws {
        switch id {
        case .event(let number): try await replayEvent(number)
        case .job(let number):
            let revived = try await database.write { [queue, time] transaction in
                transaction.afterCommit { queue.enqueued.signal() }
                return try DeadJobs.revive(number, now: time.now, in: transaction)
            }
            guard revived else { throw ReplayError.notFound }
        }
    }

    private func replayEvent(_ number: Int64) async throws {
        let failure: String? = try await database.write { [consumers] transaction in
            guard let event = try DeadEvents.event(number, in: transaction) else { throw ReplayError.notFound }
            guard let handler = consumers.consumer(of: event.source)?.handler(for: event.type) else {
                throw ReplayError.noHandler(type: event.type)
            }
            do {
                try transaction.savepoint { try handler.apply(event, transaction) }
            } catch  where Failure.isStorageTrouble(error) {
                throw error
            } catch {
                let sentence = Failure.sentence(of: error)
                try DeadEvents.recordFailure(number, error: sentence, in: transaction)
                return sentence
            }
            _ = try DeadEvents.remove(number, in: transaction)
            return nil
        }
        if let failure { throw ReplayError.failedAgain(failure) }
    }
}
