import Chassis
import Foundation
import HTTPTypes

/// Sends text messages.
struct SMSSender: Sendable {
    let send: @Sendable (_ text: String, _ number: String) async throws -> Void

    func send(_ text: String, to number: String) async throws {
        try await send(text, number)
    }
}

/// Why a text message was not taken.
struct SMSError: Error, CustomStringConvertible {
    let status: Int
    var description: String { "the SMS provider answered \(status)" }
}

/// A provider that speaks Twilio's Messages API: a form with `To`, `From` and `Body`, with HTTP Basic authentication.
struct TwilioSender: Sendable {
    private static let timeout = Duration.seconds(15)
    /// Ten segments; providers refuse more.
    private static let longestText = 1600

    /// For example `https://api.twilio.com`.
    let baseURL: String
    let account: String
    let token: String
    /// The number or name that messages come from.
    let from: String
    let transport: HTTPTransport

    var sender: SMSSender {
        SMSSender { text, number in try await send(text, number) }
    }

    private func send(_ text: String, _ number: String) async throws {
        let form = [("To", number), ("From", from), ("Body", String(text.prefix(Self.longestText)))]
        let body = form.map { "\($0)=\(Self.formEncoded($1))" }.joined(separator: "&")
        let credentials = Data("\(account):\(token)".utf8).base64EncodedString()
        let request = OutboundRequest(
            method: .post, url: "\(baseURL)/2010-04-01/Accounts/\(account)/Messages.json",
            headers: [.contentType: "application/x-www-form-urlencoded", .authorization: "Basic \(credentials)"], body: Data(body.utf8))
        let response = try await transport.send(request, timeout: Self.timeout)
        guard response.status.kind == .successful else { throw SMSError(status: response.status.code) }
    }

    /// application/x-www-form-urlencoded, as the WHATWG URL standard writes it.
    static func formEncoded(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: " "): "+"
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}
