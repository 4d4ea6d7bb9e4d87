public import Foundation

/// A file system of its own, so small that a test can fill it: a tmpfs that is mounted over a folder.
///
/// To mount something takes root's rights, as in CI. Where a test runs without them it is not run, and says why:
///
/// ```swift
/// @Test("…", .enabled(if: SmallDisk.isAvailable, SmallDisk.requirement))
/// ```
public struct SmallDisk: Sendable {
    /// Something that `mount` did not want.
    public struct NotMounted: Error, CustomStringConvertible {
        public let description: String
    }

    public static let requirement = "only root may mount a small disk"

    /// Whether this process may mount one: it is tried.
    public static let isAvailable: Bool = {
        let folder = FileManager.default.temporaryDirectory.appending(path: "souk-disk-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            try SmallDisk(at: folder, megabytes: 1).unmount()
            return true
        } catch {
            return false
        }
    }()

    public let folder: URL
    private var ballast: URL { folder.appending(path: "ballast") }

    /// Mounts a disk over a folder that exists.
    public init(at folder: URL, megabytes: Int) throws {
        self.folder = folder
        try Self.run("mount", "-t", "tmpfs", "-o", "size=\(megabytes)m,mode=0700", "souk-test", folder.path)
    }

    /// Takes all the space that is left, or all but some.
    public func fill(leavingMegabytes rest: Int = 0) throws {
        try Data().write(to: ballast)
        let file = try FileHandle(forWritingTo: ballast)
        defer { try? file.close() }
        try file.seekToEnd()
        // Ever smaller pieces, until not even one page fits.
        var piece = 1 << 20
        while piece >= 4_096 {
            do { try file.write(contentsOf: Data(count: piece)) } catch { piece /= 2 }
        }
        try file.truncate(atOffset: try file.offset() - UInt64(rest << 20))
    }

    /// Gives the space back.
    public func free() throws {
        try FileManager.default.removeItem(at: ballast)
    }

    /// Lets files be opened for reading only, or for writing again. Those that are open for writing stay so.
    public func setWritable(_ isWritable: Bool) throws {
        if isWritable {
            // The inner of the two mounts is the one that forbids it. A start that is about to fail may have files of it open.
            try Self.run("umount", "--lazy", folder.path)
        } else {
            try Self.run("mount", "--bind", folder.path, folder.path)
            try Self.run("mount", "-o", "remount,bind,ro", folder.path)
        }
    }

    /// Takes the disk away, with what is on it, even if something still has files of it open.
    public func unmount() throws {
        try Self.run("umount", "--lazy", folder.path)
    }

    private static func run(_ program: String, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw NotMounted(description: "\(program): \(text)") }
    }
}
