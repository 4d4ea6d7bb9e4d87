import Foundation

// Two shops over the same databases would each believe that they alone own them. So `souk up` holds a lock on a file in its data directory.
// The system lets go of it when the process ends, however that happens: unlike a file with a process id, it is never stale.

/// The right of one `souk up` to its data directory.
struct DirectoryHold {
    private let descriptor: Int32

    /// Fails with `ShopError.runsAlready` while another process has it.
    init(file: URL, of directory: String) throws {
        descriptor = open(file.path(percentEncoded: false), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ShopError.runsAlready(directory)
        }
    }

    func release() {
        close(descriptor)
    }
}

extension DataDirectory {
    /// Takes the directory for this process.
    func hold() throws -> DirectoryHold {
        try DirectoryHold(file: url.appending(path: "shop.lock"), of: path)
    }
}
