import Contracts
import Foundation

/// The system's processes, read from /proc.
enum ProcessTable {
    static let isReadable = FileManager.default.fileExists(atPath: "/proc/self/stat")

    private struct Entry {
        let state: Substring
        let parent: Int32
        var isAlive: Bool { state != "Z" && state != "X" }
    }

    /// proc(5): `pid (name) state parent …`, where the name may contain anything, also `)`.
    private static func entry(_ id: Int32) -> Entry? {
        guard let text = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8), let end = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 1, let parent = Int32(fields[1]) else { return nil }
        return Entry(state: fields[0], parent: parent)
    }

    static func isAlive(_ id: Int32) -> Bool { entry(id)?.isAlive ?? false }

    /// The services that the process `id` has started and that live, by name.
    static func services(of id: Int32) throws -> [ServiceName: Int32] {
        var found: [ServiceName: Int32] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc") {
            guard let child = Int32(name), let entry = entry(child), entry.parent == id, entry.isAlive else { continue }
            guard let line = try? String(contentsOfFile: "/proc/\(child)/cmdline", encoding: .utf8) else { continue }
            let executable = line.prefix { $0 != "\0" }.split(separator: "/").last ?? ""
            if let service = ServiceName(rawValue: String(executable)) { found[service] = child }
        }
        return found
    }
}
