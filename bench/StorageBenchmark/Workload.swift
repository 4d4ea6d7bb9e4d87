import ChassisStorage
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What every writer does until the time is over: one insert, awaited until it is durable.
enum Workload {
    static let migration = Migration(
        "001_orders",
        """
        CREATE TABLE orders (
            id $id,
            user_id $integer NOT NULL,
            product TEXT NOT NULL,
            total $integer NOT NULL CHECK (total >= 0)
        ) $strict;
        CREATE INDEX orders_by_user ON orders (user_id);
        """)

    /// - Throws: ``StorageError``, and when a write that was reported as durable is missing.
    static func run(on database: Database, writers: Int, seconds: Double) async throws -> Sample {
        let clock = ContinuousClock()
        let usageBefore = Usage.now
        let start = clock.now
        let deadline = start + .seconds(seconds)
        let written = try await withThrowingTaskGroup(of: Int.self) { group in
            for writer in 1...writers {
                group.addTask { try await write(to: database, as: writer, until: deadline) }
            }
            return try await group.reduce(0, +)
        }
        let elapsed = clock.now - start
        let usage = Usage.now - usageBefore
        let stored = try await database.read { tx in try tx.value("SELECT count(*) FROM orders", as: Int.self) }
        guard stored == written else { throw Mismatch(written: written, stored: stored ?? 0) }
        return Sample(written: written, elapsed: elapsed, usage: usage)
    }

    private static func write(to database: Database, as writer: Int, until deadline: ContinuousClock.Instant) async throws -> Int {
        var written = 0
        while ContinuousClock.now < deadline {
            let total = written
            try await database.write { tx in
                try tx.execute("INSERT INTO orders (user_id, product, total) VALUES (\(writer), \("Laptop"), \(total))")
            }
            written += 1
        }
        return written
    }
}

struct Mismatch: Error, CustomStringConvertible {
    let written: Int
    let stored: Int
    var description: String { "\(written) writes were acknowledged, \(stored) are stored" }
}

/// What the process has used so far.
struct Usage {
    var cpuSeconds: Double
    /// Times a thread gave up its processor to wait, which is what a hop between threads costs.
    var contextSwitches: Int

    static var now: Usage {
        var usage = rusage()
        // RUSAGE_SELF, whose type differs between the C libraries.
        getrusage(0, &usage)
        let user = Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1e6
        let system = Double(usage.ru_stime.tv_sec) + Double(usage.ru_stime.tv_usec) / 1e6
        return Usage(cpuSeconds: user + system, contextSwitches: usage.ru_nvcsw)
    }

    static func - (later: Usage, earlier: Usage) -> Usage {
        Usage(cpuSeconds: later.cpuSeconds - earlier.cpuSeconds, contextSwitches: later.contextSwitches - earlier.contextSwitches)
    }
}
