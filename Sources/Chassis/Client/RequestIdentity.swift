public import HTTPTypes
import Tracing

extension HTTPField.Name {
    public static let xRequestID = HTTPField.Name("X-Request-Id")!
}

/// The id that one request of a customer carries through all services and their logs.
public enum RequestIdentity {
    /// The id of the request that this task works for, from its `ServiceContext`; nil outside of requests.
    public static var current: String? { ServiceContext.current?.requestID }

    /// The id that a caller sent, if it may be taken over: up to 128 letters, digits, `-`, `_`, `.` and `:`, so that it can neither
    /// fill logs nor write into them.
    public static func accepted(_ id: String?) -> String? {
        guard let id, (1...128).contains(id.utf8.count), id.utf8.allSatisfy(isAccepted) else { return nil }
        return id
    }

    private static func isAccepted(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
