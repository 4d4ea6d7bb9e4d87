import Foundation
import GRDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How a SQLite connection is opened.
///
/// - `journal_mode=WAL`: readers see a snapshot and never wait for the writer.
/// - `synchronous=FULL`: a commit returns after the log's fsync; what a caller was told is there after a power cut.
/// - `foreign_keys=ON`, and double-quoted strings are errors (GRDB's defaults).
/// - `temp_store=MEMORY`: savepoints keep the old form of changed pages, which must not go through a temporary file.
/// - `cache_size`: at most 2 MB for the writer, 1 MB for a reader; pages are allocated as they are used.
/// - `mmap_size=0`: an I/O error on a mapped page would kill the process instead of failing a statement.
/// - `wal_autocheckpoint=1000`: at about 4 MB of log the committing thread copies it into the file.
struct SQLiteSettings: Sendable {
    enum Store: Sendable, Hashable {
        case file(String), memory

        /// A file by the name that SQLite gives it, which follows links: its log lies beside the file, not beside the link.
        static func file(following path: String) -> Store {
            guard let resolved = realpath(path, nil) else { return .file(destination(of: path) ?? path) }
            defer { free(resolved) }
            return .file(String(cString: resolved))
        }

        /// Where a link leads to whose file is still to be made.
        private static func destination(of path: String) -> String? {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { return nil }
            return target.hasPrefix("/") ? target : URL(fileURLWithPath: path).deletingLastPathComponent().appending(path: target).path
        }

        /// What a person knows it by.
        var name: String {
            switch self {
            case .file(let path): path
            case .memory: "the database in memory"
            }
        }
    }

    /// A witness reads a file that others own.
    enum Role: Sendable, Hashable { case writer, reader, witness }

    var store: Store
    var role: Role
    var busyTimeoutMilliseconds: Int

    /// - Throws: GRDB's `DatabaseError`, or ``StorageError``.
    func open() throws -> DatabaseQueue {
        switch store {
        case .memory:
            return try DatabaseQueue(configuration: configuration)
        case .file(let path):
            if role == .witness, let queue = openAtRest(path) { return queue }
            if role == .writer { createPrivateFile(path) }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            if role == .writer { try useWriteAheadLog(queue) }
            return queue
        }
    }

    private var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "souk.storage"
        configuration.readonly = role != .writer
        configuration.busyMode = .timeout(TimeInterval(busyTimeoutMilliseconds) / 1000)
        // Transactions span several accesses of a thread; GRDB would take one left open between them for a mistake.
        configuration.allowsUnsafeTransactions = true
        let cacheKilobytes =
            switch role {
            case .writer: 2_000
            case .reader: 1_000
            case .witness: 16_000
            }
        configuration.prepareDatabase { database in
            try database.execute(
                sql: """
                    PRAGMA synchronous = FULL;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA mmap_size = 0;
                    PRAGMA cache_size = -\(cacheKilobytes);
                    """)
        }
        return configuration
    }

    /// Opens a file that nobody has open: its log was folded into it and is gone. SQLite would make a new log even to read, and a reader
    /// would leave it behind; told that the file does not change it makes none.
    ///
    /// Nil when there is a log, which then must be read too; or where SQLite does not take file names as URIs.
    private func openAtRest(_ path: String) -> DatabaseQueue? {
        guard !FileManager.default.fileExists(atPath: path + "-wal") else { return nil }
        guard let name = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) else { return nil }
        return try? DatabaseQueue(path: "file:\(name)?mode=ro&immutable=1", configuration: configuration)
    }

    private func useWriteAheadLog(_ queue: DatabaseQueue) throws {
        try queue.writeWithoutTransaction { database in
            guard try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL") == "wal" else {
                throw StorageError(.unavailable, "the file system does not support SQLite's write-ahead log")
            }
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 67108864")
        }
    }

    /// An error of opening, with the file's name, the reason as the system sees it, and what to do.
    func explained(_ error: StorageError) -> StorageError {
        guard case .file(let path) = store, !error.isMigrationError else { return error }
        let (cause, remedy) = cause(of: error, at: path)
        return StorageError(cause.code, "cannot open the database \(path): \(cause.message)\(remedy.map { "; \($0)" } ?? "")")
    }

    /// SQLite says of many things only that it cannot open the file.
    private func cause(of error: StorageError, at path: String) -> (error: StorageError, remedy: String?) {
        guard error.isUnavailable || error.isReadOnly else { return (error, error.remedy) }
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: directory) else {
            return (StorageError(.unavailable, "its directory does not exist"), "make it, or give another path")
        }
        guard role == .writer else { return (error, error.remedy) }
        for place in [directory, path] where access(place, F_OK) == 0 && access(place, W_OK) != 0 {
            let reason = errno == EROFS ? "its file system is read-only" : "\(place) may not be written"
            return (StorageError(.readOnly, reason), StorageError.readOnly.remedy)
        }
        var space = statvfs()
        if statvfs(directory, &space) == 0, space.f_bavail == 0 { return (.diskFull, StorageError.diskFull.remedy) }
        return (error, error.remedy)
    }
}

/// Makes a new database readable by its owner only; SQLite gives its log the same mode. If this fails, opening says why.
///
/// `O_EXCL` matters: were an existing file opened and closed here, POSIX would drop the locks that this process' other connections
/// hold on it.
private func createPrivateFile(_ path: String) {
    let file = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    if file >= 0 { close(file) }
}
