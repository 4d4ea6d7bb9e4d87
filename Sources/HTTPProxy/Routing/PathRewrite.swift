/// Puts something in place of the first segments of a path.
struct PathRewrite: Sendable {
    private let replacement: [UInt8]
    private let segments: Int

    /// - Parameters:
    ///   - replacement: begins with `/`, or is the beginning of an address. What follows has its own slash.
    ///   - segments: how many segments of the path it stands for.
    init(_ replacement: String, segments: Int) {
        var bytes = Array(replacement.utf8)
        while bytes.last == .slash { bytes.removeLast() }
        self.replacement = bytes
        self.segments = segments
    }

    /// Writes the new path. `path` is in normal form.
    func write(_ path: UnsafeRawBufferPointer, to cursor: inout ByteCursor) {
        cursor.write(replacement)
        var rest = path[...]
        for _ in 0..<segments {
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            rest = rest[(rest.firstIndex(of: .slash) ?? rest.endIndex)...]
        }
        if rest.isEmpty && replacement.isEmpty { cursor.write(UInt8.slash) }
        cursor.write(UnsafeRawBufferPointer(rebasing: rest))
    }
}
