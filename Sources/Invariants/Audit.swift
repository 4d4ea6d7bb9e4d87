public import Contracts

/// What a look at a shop's books has shown, invariant by invariant.
///
/// ```swift
/// let audit = try await Audit.of(Books(orders: orders, payments: payments))
/// for entry in audit.violated { … }
/// ```
public struct Audit: Sendable {
    /// What became of one invariant.
    public enum Outcome: Sendable, Hashable {
        case checked(Finding)
        /// These databases are not at hand.
        case notChecked(missing: [ServiceName])
    }

    public struct Entry: Sendable {
        public let invariant: Invariant
        public let outcome: Outcome

        /// What was found; nil when it was not checked.
        public var finding: Finding? {
            guard case .checked(let finding) = outcome else { return nil }
            return finding
        }

        /// The databases for lack of which it was not checked.
        public var missing: [ServiceName] {
            guard case .notChecked(let missing) = outcome else { return [] }
            return missing
        }
    }

    public let level: Invariant.Level
    public let entries: [Entry]

    /// Checks every invariant of a level; `settled` includes what must hold always.
    ///
    /// - Parameter invariants: those to choose from: the simulation leaves out what reads only databases that have not changed.
    /// - Throws: ``UncheckableInvariant`` when a database cannot be read; `CancellationError`.
    public static func of(
        _ books: Books, _ level: Invariant.Level = .always, _ invariants: [Invariant] = Invariant.all
    ) async throws -> Audit {
        var entries: [Entry] = []
        for invariant in invariants where level == .settled || invariant.level == .always {
            let missing = invariant.missing(in: books)
            let outcome: Outcome =
                missing.isEmpty ? .checked(try await finding(of: invariant, in: books)) : .notChecked(missing: missing)
            entries.append(Entry(invariant: invariant, outcome: outcome))
        }
        return Audit(level: level, entries: entries)
    }

    private static func finding(of invariant: Invariant, in books: Books) async throws -> Finding {
        do {
            return try await invariant.check(books)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw UncheckableInvariant(name: invariant.name, cause: error)
        }
    }

    /// The promises that are broken.
    public var violated: [Entry] { broken(.violation) }
    /// What waits for a person.
    public var warnings: [Entry] { broken(.warning) }
    public var unchecked: [Entry] { entries.filter { $0.finding == nil } }
    /// Whether nothing is known to be broken.
    public var holds: Bool { violated.isEmpty }

    private func broken(_ weight: Invariant.Weight) -> [Entry] {
        entries.filter { $0.invariant.weight == weight && $0.finding?.holds == false }
    }
}

/// A database could not be read, or is not what it should be.
public struct UncheckableInvariant: Error, CustomStringConvertible {
    public let name: String
    public let cause: any Error

    public var description: String { "\(name) cannot be checked: \(cause)" }
}

extension Audit: CustomStringConvertible {
    /// The violations as a test or a trace shows them: one line each.
    public var description: String {
        guard !holds else { return "all invariants hold" }
        return violated.flatMap { entry in
            (entry.finding?.violations ?? []).map { "\(entry.invariant.name): \($0.id) \($0.sentence)" }
        }
        .joined(separator: "\n")
    }
}
