// One spelling for each path (RFC 3986 section 6.2.2).
//
// A gateway decides by the path and the service behind it decides again. If they read one path differently, whoever finds the
// spelling walks past the gateway's checks: `/api/../internal`, `//internal`, `/%69nternal`, `/api/users%2f..%2finternal`. So every path has
// one normal form, the route is chosen by it, and it is what the upstream is sent:
//
// - the percent-encoding of an unreserved byte is decoded, other encodings are kept, their digits in upper case;
// - several slashes become one;
// - dot segments, encoded or not, are refused: every client resolves them before sending, only an attacker leaves them in;
// - an encoded slash, backslash or control byte, a backslash, a `;` path parameter that hides a dot segment, a fragment and a
//   broken encoding are refused, for servers disagree about what they mean.

enum PathNormalizer {
    enum Outcome: Equatable {
        case unchanged
        case rewritten([UInt8])
        case refused
    }

    static func normalize(_ path: UnsafeRawBufferPointer) -> Outcome {
        guard let first = path.first, first == .slash else { return .refused }
        return isNormal(path) ? .unchanged : rewrite(path)
    }

    /// The common case, decided in one pass: no escape, no empty or dot segment, nothing odd.
    private static func isNormal(_ path: UnsafeRawBufferPointer) -> Bool {
        var previous: UInt8 = 0
        for byte in path {
            guard byte.isUnreserved || byte == .slash || isPlainDelimiter(byte) else { return false }
            if previous == .slash, byte == .slash || byte == .dot { return false }
            previous = byte
        }
        return true
    }

    /// `sub-delims`, `:` and `@`, without `;`, which needs a closer look.
    private static func isPlainDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x24, 0x26...0x2C, 0x3A, 0x3D, 0x40: true
        default: false
        }
    }

    private static func rewrite(_ path: UnsafeRawBufferPointer) -> Outcome {
        var output: [UInt8] = []
        output.reserveCapacity(path.count)
        var segmentStart = 0
        var index = 0
        while index < path.count {
            let byte = path[index]
            index += 1
            switch byte {
            case .slash:
                guard !isDotSegment(output[segmentStart...]) else { return .refused }
                if output.last != .slash { output.append(.slash) }
                segmentStart = output.count
            case .percent:
                guard index + 1 < path.count, let high = path[index].hexValue, let low = path[index + 1].hexValue else { return .refused }
                let decoded = high << 4 | low
                guard decoded >= 0x20, decoded != 0x7F, decoded != .slash, decoded != .backslash else { return .refused }
                if decoded.isUnreserved {
                    output.append(decoded)
                } else {
                    output.append(contentsOf: [.percent, upperHex(high), upperHex(low)])
                }
                index += 2
            default:
                guard byte.isUnreserved || isPlainDelimiter(byte) || byte == .semicolon else { return .refused }
                output.append(byte)
            }
        }
        guard !isDotSegment(output[segmentStart...]) else { return .refused }
        return output.elementsEqual(path) ? .unchanged : .rewritten(output)
    }

    /// `.` or `..`, also when path parameters follow it (`..;x`), which some servers strip first.
    private static func isDotSegment(_ segment: ArraySlice<UInt8>) -> Bool {
        let name = segment.prefix { $0 != .semicolon }
        return name.elementsEqual([.dot]) || name.elementsEqual([.dot, .dot])
    }

    private static func upperHex(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x41 + value - 10
    }
}
