import NIOCore
import Testing

@testable import HTTPProxy

extension RequestHead {
    /// What these lines say: the first is the request line.
    static func reading(_ lines: [String]) throws -> RequestHead {
        let (bytes, parser) = parse(lines)
        return try RequestHead.read(bytes, fields: parser.fields, startLineLength: parser.startLineLength).get()
    }
}

extension ResponseHead {
    /// What these lines say: the first is the status line.
    static func reading(_ lines: [String], isHead: Bool = false) throws -> ResponseHead {
        let (bytes, parser) = parse(lines)
        return try #require(
            ResponseHead.read(bytes, fields: parser.fields, startLineLength: parser.startLineLength, isHead: isHead))
    }
}

private func parse(_ lines: [String]) -> (ByteBuffer, HeadParser) {
    let bytes = ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n")
    var parser = HeadParser(limits: HeadLimits(maximumBytes: 100_000, maximumFields: 100))
    _ = bytes.withUnsafeReadableBytes { parser.parse($0) }
    return (bytes, parser)
}
