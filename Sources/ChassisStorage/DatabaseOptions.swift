/// How a database is opened. The defaults suit a service.
public struct DatabaseOptions: Sendable {
    /// Threads that serve reads, each with a connection of its own. At least 1. An in-memory database has none.
    public var readers: Int
    /// How long a statement waits for a lock that another process holds, in milliseconds, before it fails as busy.
    public var busyTimeoutMilliseconds: Int
    public var groupCommit: GroupCommitLimits
    /// Where closures run.
    public var execution = Execution.ownThreads

    public enum Execution: Sendable, Hashable {
        /// On threads of the database, so that nobody's executor blocks.
        case ownThreads
        /// On the thread of whoever awaits them, one after another: for the simulation, all of which is one thread. Only in memory.
        case callersThread
    }

    public init(readers: Int = 2, busyTimeoutMilliseconds: Int = 5_000, groupCommit: GroupCommitLimits = GroupCommitLimits()) {
        precondition(readers >= 1 && busyTimeoutMilliseconds >= 0)
        self.readers = readers
        self.busyTimeoutMilliseconds = busyTimeoutMilliseconds
        self.groupCommit = groupCommit
    }
}

/// The bounds of a group commit on SQLite.
public struct GroupCommitLimits: Sendable {
    /// Closures under one commit at most. 1 gives each closure a commit of its own.
    public var maximumBatch: Int
    /// How long a batch takes further closures, in milliseconds: it bounds how long the first of a batch waits for the others.
    public var maximumBatchMilliseconds: Int
    /// Closures that may wait, for writing and for reading each, before ``StorageError/overloaded``.
    public var maximumWaiting: Int

    public init(maximumBatch: Int = 256, maximumBatchMilliseconds: Int = 20, maximumWaiting: Int = 10_000) {
        precondition(maximumBatch >= 1 && maximumBatchMilliseconds >= 0 && maximumWaiting >= 1)
        self.maximumBatch = maximumBatch
        self.maximumBatchMilliseconds = maximumBatchMilliseconds
        self.maximumWaiting = maximumWaiting
    }
}
