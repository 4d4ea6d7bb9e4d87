import NIOCore

/// Which content codings a request accepts (RFC 9110 section 12.5.3), as far as it is asked here: gzip, and nothing at all.
///
/// A request without the field accepts everything by the letter. In practice it comes from a client that knows of no coding, and gets none.
struct AcceptEncoding {
    /// Weights in thousandths; nil: not named.
    private var gzip: Int?
    private var identity: Int?
    private var anyOther: Int?

    /// Whether gzip is acceptable, and not less welcome than the body as it is.
    var takesGzip: Bool {
        let weight = gzip ?? anyOther ?? 0
        return weight > 0 && weight >= identity ?? 0
    }

    init(_ head: RequestHead) {
        head.bytes.withUnsafeReadableBytes { bytes in
            for field in head.fields where bytes[part: field.name].spells("accept-encoding") { add(bytes[part: field.value]) }
        }
    }

    private mutating func add(_ value: UnsafeRawBufferPointer) {
        value.forEachListElement { element in
            let end = element.firstIndex(of: .semicolon) ?? element.count
            var name = ByteRange(start: 0, end: end)
            name.trim(in: element)
            let coding = element[part: name]
            let weight = end == element.count ? 1000 : Self.weight(element[part: ByteRange(start: end + 1, end: element.count)])
            // `x-gzip` is the same (RFC 9110 section 8.4.1.3).
            if coding.spells("gzip") || coding.spells("x-gzip") {
                gzip = weight
            } else if coding.spells("identity") {
                identity = weight
            } else if coding.spells("*") {
                anyOther = weight
            }
        }
    }

    /// `"q=" qvalue` in thousandths (RFC 9110 section 12.4.2). What is none is 0: a coding that is not wanted for sure is not sent.
    private static func weight(_ parameter: UnsafeRawBufferPointer) -> Int {
        var range = ByteRange(start: 0, end: parameter.count)
        range.trim(in: parameter)
        let text = parameter[part: range]
        guard (3...7).contains(text.count), text.hasPrefix("q="), text[2] == 0x30 || text[2] == 0x31 else { return 0 }
        var weight = text[2] == 0x31 ? 1000 : 0
        guard text.count > 3 else { return weight }
        guard text[3] == .dot else { return 0 }
        var unit = 100
        for byte in text.dropFirst(4) {
            guard byte.isDigit else { return 0 }
            weight += Int(byte - 0x30) * unit
            unit /= 10
        }
        return weight <= 1000 ? weight : 0
    }
}
