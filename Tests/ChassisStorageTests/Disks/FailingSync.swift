import Foundation
import GRDBSQLite
import Synchronization

/// SQLite's own access to the disk, in which a test can make the fsyncs of one file fail: as on a disk that has gone bad. It is there for the whole
/// process and does nothing to any other file. See https://www.sqlite.org/vfs.html.
enum FailingSync {
    private struct State {
        /// How many fsyncs of a file are still to fail, by its path.
        var failures: [String: Int] = [:]
        /// What is open, by the address of SQLite's own record of it.
        var open: [UInt: (path: String, methods: UInt)] = [:]
    }

    private static let state = Mutex(State())

    /// The system's own; it lives as long as the process.
    nonisolated(unsafe) private static let system = sqlite3_vfs_find(nil)

    /// Installs it, once.
    private static let isInstalled: Bool = {
        guard let system else { return false }
        let layer = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        layer.initialize(to: system.pointee)
        layer.pointee.zName = UnsafePointer(strdup("souk-failing-sync"))
        layer.pointee.xOpen = { _, name, file, flags, outFlags in FailingSync.opened(name, file, flags, outFlags) }
        return sqlite3_vfs_register(layer, 1) == SQLITE_OK
    }()

    /// Lets the next `count` fsyncs of `path` fail. To be called before the database is opened, too, with a count of 0.
    static func fail(_ path: String, _ count: Int) -> Bool {
        state.withLock { $0.failures[path] = count }
        return isInstalled
    }

    /// How many fsyncs of `path` are still to fail.
    static func remaining(_ path: String) -> Int { state.withLock { $0.failures[path] ?? 0 } }

    private static func opened(
        _ name: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32, _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        guard let system, let open = system.pointee.xOpen else { return SQLITE_CANTOPEN }
        let result = open(system, name, file, flags, outFlags)
        guard result == SQLITE_OK, let name, let file, let methods = file.pointee.pMethods else { return result }
        state.withLock { $0.open[UInt(bitPattern: file)] = (String(cString: name), UInt(bitPattern: methods)) }
        // One small table for each file that a test opens; nobody frees it.
        let table = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        table.initialize(to: methods.pointee)
        table.pointee.xSync = { file, flags in FailingSync.sync(file, flags) }
        file.pointee.pMethods = UnsafePointer(table)
        return result
    }

    private static func sync(_ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32) -> Int32 {
        let (methods, fails) = state.withLock { state -> (UInt, Bool) in
            guard let entry = state.open[UInt(bitPattern: file)] else { return (0, false) }
            guard let left = state.failures[entry.path], left > 0 else { return (entry.methods, false) }
            state.failures[entry.path] = left - 1
            return (entry.methods, true)
        }
        guard !fails, let table = UnsafePointer<sqlite3_io_methods>(bitPattern: methods), let sync = table.pointee.xSync else {
            return failedSync
        }
        return sync(file, flags)
    }
}

/// `SQLITE_IOERR | (4 << 8)`, a macro that Swift does not see.
private let failedSync: Int32 = SQLITE_IOERR | (4 << 8)
