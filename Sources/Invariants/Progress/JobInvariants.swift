import ChassisStorage
import Commerce
import Contracts

// Work that is owed is a row in `jobs`: waiting, leased, or dead and waiting for a person. What is open without one stays open for ever.

extension Invariant {
    static let openPaymentsHaveJobs = Invariant(
        "open-payments-have-jobs", .progress, .always, in: .payments,
        "For every payment and refund that is pending there is a job that asks the provider, even if a dead one."
    ) { transaction, finding in
        finding.examined = try transaction.count(
            "SELECT (SELECT count(*) FROM payments WHERE status = 'pending') + (SELECT count(*) FROM refunds WHERE status = 'pending')")
        try transaction.each(
            """
            SELECT p.id FROM payments p WHERE p.status = 'pending' AND NOT EXISTS (
                SELECT 1 FROM jobs j WHERE j.kind = 'charge-payment' AND j.key = CAST(p.id AS TEXT)
            ) ORDER BY p.id
            """
        ) { row in finding.violation("payment \(try row["id"] as Int64)", "is pending, and no job asks for it") }
        try transaction.each(
            """
            SELECT r.id FROM refunds r WHERE r.status = 'pending' AND NOT EXISTS (
                SELECT 1 FROM jobs j WHERE j.kind = 'refund-capture' AND j.key = CAST(r.id AS TEXT)
            ) ORDER BY r.id
            """
        ) { row in finding.violation("refund \(try row["id"] as Int64)", "is pending, and no job asks for it") }
    }

    /// A message that is sent again has a job whose key begins with the message's id.
    static let queuedMessagesHaveJobs = Invariant(
        "queued-messages-have-jobs", .progress, .always, in: .notifications,
        "For every message that is queued there is a job that sends it, even if a dead one."
    ) { transaction, finding in
        finding.examined = try transaction.count("SELECT count(*) FROM notifications WHERE status = 'queued'")
        try transaction.each(
            """
            SELECT n.id FROM notifications n WHERE n.status = 'queued' AND NOT EXISTS (
                SELECT 1 FROM jobs j WHERE j.kind = 'send-notification' AND j.key = CAST(n.id AS TEXT)
            ) AND NOT EXISTS (
                SELECT 1 FROM jobs j WHERE j.kind = 'send-notification' AND j.key LIKE CAST(n.id AS TEXT) || '-again-%'
            ) ORDER BY n.id
            """
        ) { row in finding.violation("notification \(try row["id"] as Int64)", "is queued, and no job sends it") }
    }

    // MARK: When all is done

    /// Recurring jobs are never done.
    static let allWorkIsDone = Invariant(
        "all-work-is-done", .progress, .settled, reading: Books.services, isPartial: true, "No job waits and none is under way."
    ) { books in
        try await eachJob(in: books, "state <> 'dead' AND kind NOT LIKE 'every:%'") { "\($0.kind) is \($0.state)" }
    }

    static let jobsAreAlive = Invariant(
        "jobs-are-alive", .progress, .settled, reading: Books.services, isPartial: true,
        "In a shop that is at work no job, not even a recurring one, has been due or leased for far too long."
    ) { books in
        guard let now = books.now else { return Finding() }
        return try await eachJob(in: books, "state <> 'dead' AND due_at < \(now - longestDelay)") { job in
            "\(job.kind) is \(job.state) and could have been taken since \(job.due)"
        }
    }

    /// More than any lease or interval of a recurring job, and any backlog of a shop that has nothing to do.
    private static let longestDelay: Duration = .seconds(600)

    static let nothingIsDead = Invariant(
        "nothing-is-dead", .progress, .settled, weight: .warning, reading: Books.services, isPartial: true,
        "No event and no job waits for a person; `souk dead` shows and settles those that do."
    ) { books in
        var finding = try await eachJob(in: books, "state = 'dead'") { "\($0.kind) waits for a person" }
        for service in Books.services where books[service] != nil {
            finding.add(
                try await books.read(service) { transaction in
                    var finding = Finding()
                    try transaction.each("SELECT number, source, type, subject FROM dead_events ORDER BY number") { row in
                        finding.examined += 1
                        let (number, type, subject): (Int64, String, String?) = (try row["number"], try row["type"], try row["subject"])
                        finding.violation(
                            "\(service.rawValue)/event-\(number)", "\(type)\(subject.map { " of \($0)" } ?? "") waits for a person")
                    }
                    return finding
                })
        }
        return finding
    }

    private struct JobRow {
        let kind: String
        let state: String
        let due: Timestamp
    }

    /// Reports every job for which `condition` holds, of all services.
    private static func eachJob(
        in books: Books, _ condition: SQL, _ sentence: @escaping @Sendable (JobRow) -> String
    ) async throws -> Finding {
        var finding = Finding()
        for service in Books.services where books[service] != nil {
            finding.add(
                try await books.read(service) { transaction in
                    var finding = Finding()
                    finding.examined = try transaction.count("SELECT count(*) FROM jobs")
                    try transaction.each("SELECT id, kind, state, due_at FROM jobs WHERE \(condition) ORDER BY id") { row in
                        let job = JobRow(kind: try row["kind"], state: try row["state"], due: try row["due_at"])
                        finding.violation("\(service.rawValue)/job-\(try row["id"] as Int64)", sentence(job))
                    }
                    return finding
                })
        }
        return finding
    }
}
