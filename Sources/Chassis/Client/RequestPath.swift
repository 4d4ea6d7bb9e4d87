/// The path and query of a call to another service, and the template that it was made from.
///
///     let path: RequestPath = "/internal/products/\(id)/stock?after=\(cursor)"
///     path.path   // "/internal/products/7/stock?after=a%2Fb"
///     path.route  // "/internal/products/{}/stock"
///
/// What is interpolated is percent-encoded, so that a value can never add a segment or a parameter; and it is no part of the route, so
/// that metrics and traces can be labelled by it without growing with the data.
public struct RequestPath: Sendable, Hashable, ExpressibleByStringInterpolation {
    public let path: String
    public let route: String

    public init(stringLiteral text: String) {
        var interpolation = StringInterpolation(literalCapacity: text.utf8.count, interpolationCount: 0)
        interpolation.appendLiteral(text)
        self.init(stringInterpolation: interpolation)
    }

    public init(stringInterpolation: StringInterpolation) {
        path = stringInterpolation.path
        route = stringInterpolation.route.split(separator: "?", maxSplits: 1).first.map(String.init) ?? "/"
        precondition(path.hasPrefix("/"), "a request path begins with a slash")
    }

    public struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var path = ""
        fileprivate var route = ""

        public init(literalCapacity: Int, interpolationCount: Int) {
            path.reserveCapacity(literalCapacity + interpolationCount * 12)
            route.reserveCapacity(literalCapacity + interpolationCount * 2)
        }

        public mutating func appendLiteral(_ literal: String) {
            path += literal
            route += literal
        }

        public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            path += PercentEncoding.encode(value.description)
            route += "{}"
        }
    }
}

/// RFC 3986 section 2.
enum PercentEncoding {
    /// `text` with every byte written as `%XX` that is not an unreserved character.
    static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}
