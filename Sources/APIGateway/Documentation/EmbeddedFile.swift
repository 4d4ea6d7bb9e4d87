import CDocumentation

/// A file of the repository that is part of the executable.
struct EmbeddedFile: Sendable {
    /// `openapi/order-service.json`, `page/main.js`.
    let path: String
    let bytes: [UInt8]

    /// All that there are; see `Sources/CDocumentation`.
    static let all: [EmbeddedFile] = (0..<souk_document_count()).map { index in
        let file = souk_document_at(index)
        return EmbeddedFile(
            path: String(cString: file.path), bytes: Array(UnsafeBufferPointer(start: file.bytes, count: file.count)))
    }
}
