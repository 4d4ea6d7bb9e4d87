package import Chassis
import Commerce
package import Foundation

// Who knows the address of a webhook could tell a shop anything. So every notice carries the time at which it was signed, and a code over that
// time and the body, made with a secret that only the provider and this service know. A copy of an old notice is refused for its age; a copy of a
// recent one does nothing, because each has an id that is written down with its effect.
//
//     Souk-Signature: t=1800000000,v1=<HMAC-SHA-256 of "1800000000." and the body, in hexadecimal>

/// Signs notices and checks them.
package struct WebhookSignature: Sendable {
    /// How old a signature may be, and how far ahead of our clock.
    static let tolerance = Duration.seconds(300)

    private let secret: ServiceSecret
    private let time: TimeSource

    package init(secret: ServiceSecret, time: TimeSource) {
        self.secret = secret
        self.time = time
    }

    /// The header's value for a body that is sent now.
    package func header(for body: Data) -> String {
        let seconds = Self.seconds(time.now)
        return "t=\(seconds),v1=\(Self.hexadecimal(secret.code(for: Self.signed(body, at: seconds))))"
    }

    /// - Throws: `PaymentProviderError.notGenuine`.
    func check(_ header: String?, of body: Data) throws {
        let parts = (header ?? "").split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }
        let members = Dictionary(parts.filter { $0.count == 2 }.map { ($0[0], $0[1]) }) { first, _ in first }
        guard let seconds = members["t"].flatMap({ Int64($0) }), let code = members["v1"].flatMap(Self.bytes),
            abs(Self.seconds(time.now) - seconds) <= Self.tolerance.components.seconds,
            secret.isValid(code: code, for: Self.signed(body, at: seconds))
        else { throw PaymentProviderError.notGenuine }
    }

    private static func seconds(_ timestamp: Timestamp) -> Int64 { timestamp.millisecondsSinceEpoch / 1000 }

    private static func signed(_ body: Data, at seconds: Int64) -> Data { Data("\(seconds).".utf8) + body }

    private static func hexadecimal(_ bytes: Data) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func bytes(_ text: Substring) -> Data? {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
        return Data(stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
    }
}
