/// Names as Prometheus allows them: `[a-zA-Z_:][a-zA-Z0-9_:]*` for metrics and `[a-zA-Z_][a-zA-Z0-9_]*` for labels.
/// Every other character becomes `_`.
enum MetricName {
    /// A counter ends in `_total`.
    static func counter(_ label: String) -> String { suffixed(metric(label), "_total") }

    /// A timer ends in `_seconds`, the base unit that Prometheus asks for.
    static func timer(_ label: String) -> String { suffixed(metric(label), "_seconds") }

    static func metric(_ label: String) -> String { sanitised(label, allowingColon: true) }

    /// `le` is the histogram's own, and names with `__` in front are Prometheus's: both are set apart by a word in front.
    static func label(_ dimension: String) -> String {
        let name = sanitised(dimension, allowingColon: false)
        return name == "le" || name.hasPrefix("__") ? "label_" + name : name
    }

    private static func suffixed(_ name: String, _ suffix: String) -> String {
        name.hasSuffix(suffix) ? name : name + suffix
    }

    private static func sanitised(_ text: String, allowingColon: Bool) -> String {
        guard let first = text.utf8.first else { return "_" }
        let startsWithDigit = isDigit(first)
        // The usual case, and it is on the path of every timer a middleware makes: nothing to change.
        if !startsWithDigit, text.utf8.allSatisfy({ isAllowed($0, allowingColon: allowingColon) }) { return text }
        var name = startsWithDigit ? "_" : ""
        for scalar in text.unicodeScalars {
            let isLegal = scalar.isASCII && isAllowed(UInt8(scalar.value), allowingColon: allowingColon)
            name.unicodeScalars.append(isLegal ? scalar : "_")
        }
        return name
    }

    private static func isAllowed(_ byte: UInt8, allowingColon: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        case UInt8(ascii: ":"): allowingColon
        default: isDigit(byte)
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
