import Metrics

/// What a database tells about itself, recorded once per commit, not per statement.
struct StorageMetrics: Sendable {
    /// How many closures shared a commit.
    private let batchSize = Recorder(label: "storage_commit_batch_size", dimensions: [], aggregate: true)
    /// How long COMMIT took, the fsync included.
    private let commitDuration = Timer(label: "storage_commit_duration")
    /// Closures that waited when a commit was done.
    private let writesWaiting = Gauge(label: "storage_writes_waiting")
    /// Commits that failed, with every closure in them.
    private let commitFailures = Counter(label: "storage_commit_failures")

    func committed(closures: Int, in duration: Duration, waiting: Int) {
        batchSize.record(closures)
        commitDuration.record(duration: duration)
        writesWaiting.record(waiting)
    }

    func commitFailed() { commitFailures.increment() }
}
