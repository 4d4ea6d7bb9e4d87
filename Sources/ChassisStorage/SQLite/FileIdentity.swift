import Foundation

#if canImport(CDispatch)
    // On Linux the members of `stat` belong to whichever C module the compiler happened to load first, which may be this one.
    import CDispatch
#endif

/// Which files on the disk a database was opened from: the file itself and its log.
///
/// Whoever deletes or replaces an open file changes nothing for the process that has it open. SQLite would go on writing into a file without a
/// name, and everything it had acknowledged would be gone with the process. So it is asked, after each commit and before its callers hear,
/// whether the names still lead to the files that were written. Two calls of `stat` cost about a microsecond beside an fsync.
struct FileIdentity: Sendable, Hashable {
    /// A file, by its device and its number there.
    private struct Entry: Sendable, Hashable {
        let device: UInt64
        let number: UInt64

        /// Nil when nothing has this name.
        init?(at path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = UInt64(truncatingIfNeeded: status.st_dev)
            number = UInt64(truncatingIfNeeded: status.st_ino)
        }
    }

    private let path: String
    private let file: Entry?
    private let log: Entry?

    private static func logPath(_ path: String) -> String { path + "-wal" }

    /// What `path` leads to now.
    init(at path: String) {
        self.path = path
        file = Entry(at: path)
        log = Entry(at: Self.logPath(path))
    }

    /// - Parameter log: whether the log is asked for, too: it is there as long as a connection is open.
    /// - Throws: ``StorageError`` (moved) when a name leads elsewhere by now.
    func check(log includesLog: Bool) throws(StorageError) {
        if let difference = Self.difference(path, file) { throw .moved(difference) }
        if includesLog, let difference = Self.difference(Self.logPath(path), log) { throw .logMoved(difference) }
    }

    private static func difference(_ path: String, _ expected: Entry?) -> String? {
        let found = Entry(at: path)
        guard found != expected else { return nil }
        return "\(path) \(found == nil ? "is gone" : "is another file than the one that was opened")"
    }
}
