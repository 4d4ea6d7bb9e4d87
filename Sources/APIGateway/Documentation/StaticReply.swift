import Chassis
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// Bytes that stay the same as long as the process lives, as an answer: with an `ETag`, so that who has them is told so and no more. The tag is a weak one,
/// because the data plane compresses the answer on its way, and a strong tag would vouch for each byte.
struct StaticReply: Sendable {
    /// The page takes nothing from elsewhere, speaks to nobody else, is shown inside no other page, and makes no markup of text: its script could
    /// not, if it wanted to.
    private static let contentSecurityPolicy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:", "base-uri 'none'",
        "frame-ancestors 'none'", "form-action 'self'", "require-trusted-types-for 'script'", "trusted-types 'none'",
    ].joined(separator: "; ")

    private let bytes: ByteBuffer
    private let headers: HTTPFields

    init(_ bytes: [UInt8], contentType: String) {
        self.bytes = ByteBuffer(bytes: bytes)
        headers = [
            .contentType: contentType,
            .eTag: Self.entityTag(of: bytes),
            .cacheControl: "public, max-age=60",
            .contentSecurityPolicy: Self.contentSecurityPolicy,
            .xContentTypeOptions: "nosniff",
            .referrerPolicy: "no-referrer",
        ]
    }

    func response(to call: Call) -> Response {
        Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes)).unlessKnown(to: call.request)
    }

    /// 128 bits of their SHA-256: another content is another tag.
    private static func entityTag(of bytes: [UInt8]) -> String {
        let digits = SHA256.hash(data: bytes).prefix(16).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }
        return "W/\"\(digits.joined())\""
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
}
