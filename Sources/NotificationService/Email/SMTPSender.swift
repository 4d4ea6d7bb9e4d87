import CCurl
import Chassis
import Commerce
import Foundation
import NIOPosix

/// Sends emails.
struct EmailSender: Sendable {
    let send: @Sendable (Email) async throws -> Void
}

/// Why an email was not taken.
struct EmailError: Error, CustomStringConvertible {
    /// The server's last reply code, 0 without one.
    let reply: Int
    let description: String
}

/// Where and as whom to send: `SMTP_URL`, for example `smtp://user:password@mail.example.com:587` or `smtps://…`.
struct SMTPSettings: Sendable {
    /// As libcurl takes it; holds the password, so it is never printed.
    let url: String
    let from: String
    /// Whether a server that offers no TLS is refused. Always so for `smtps`.
    let requiresTLS: Bool
}

// libcurl speaks SMTP by blocking calls, so they have threads of their own. A handle is made for each message: mail is rare, and a fresh
// connection is what a server that limits idle ones expects.

/// SMTP through libcurl (RFC 5321, STARTTLS by RFC 3207 where the server offers it).
final class SMTPSender: Sendable {
    private static let connectTimeoutMilliseconds = 10_000
    private static let totalTimeoutMilliseconds = 30_000

    private let settings: SMTPSettings
    private let time: TimeSource
    private let threads: NIOThreadPool

    init(_ settings: SMTPSettings, time: TimeSource) {
        self.settings = settings
        self.time = time
        threads = NIOThreadPool(numberOfThreads: 2)
        threads.start()
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    }

    var sender: EmailSender {
        EmailSender { [self] email in
            // The address stands in an SMTP command of its own: what is no address never gets there.
            guard EmailAddress(email.to) != nil else { throw EmailError(reply: 0, description: "the address is none") }
            let message = email.message(from: settings.from, at: time.now.date)
            try await threads.runIfActive { try self.transmit(message, to: email.to) }
        }
    }

    func close() async throws {
        try await threads.shutdownGracefully()
    }

    private func transmit(_ message: String, to recipient: String) throws {
        guard let handle = curl_easy_init() else { throw EmailError(reply: 0, description: "libcurl has no memory") }
        defer { curl_easy_cleanup(handle) }
        var recipients: UnsafeMutablePointer<curl_slist>? = curl_slist_append(nil, "<\(recipient)>")
        defer { curl_slist_free_all(recipients) }
        let upload = Upload(Array(message.utf8))
        defer { withExtendedLifetime(upload) {} }
        try configure(handle, recipients: &recipients, upload)
        let code = curl_easy_perform(handle)
        var reply = 0
        souk_curl_response_code(handle, &reply)
        guard code == CURLE_OK else {
            throw EmailError(
                reply: reply, description: "\(String(cString: curl_easy_strerror(code)))\(reply > 0 ? " (SMTP \(reply))" : "")")
        }
    }

    private func configure(_ handle: UnsafeMutableRawPointer, recipients: inout UnsafeMutablePointer<curl_slist>?, _ upload: Upload) throws
    {
        try check(souk_curl_set_string(handle, CURLOPT_URL, settings.url))
        try check(souk_curl_set_string(handle, CURLOPT_MAIL_FROM, "<\(settings.from)>"))
        try check(souk_curl_set_list(handle, CURLOPT_MAIL_RCPT, recipients))
        try check(souk_curl_set_long(handle, CURLOPT_UPLOAD, 1))
        try check(souk_curl_set_long(handle, CURLOPT_NOSIGNAL, 1))
        try check(
            souk_curl_set_long(handle, CURLOPT_USE_SSL, settings.requiresTLS ? Int(CURLUSESSL_ALL.rawValue) : Int(CURLUSESSL_TRY.rawValue)))
        try check(souk_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT_MS, Self.connectTimeoutMilliseconds))
        try check(souk_curl_set_long(handle, CURLOPT_TIMEOUT_MS, Self.totalTimeoutMilliseconds))
        try check(
            souk_curl_set_reader(
                handle,
                { buffer, size, count, context in
                    guard let buffer, let context else { return 0 }
                    return Unmanaged<Upload>.fromOpaque(context).takeUnretainedValue().copy(into: buffer, atMost: size * count)
                }, Unmanaged.passUnretained(upload).toOpaque()))
    }

    private func check(_ code: CURLcode) throws {
        guard code == CURLE_OK else { throw EmailError(reply: 0, description: String(cString: curl_easy_strerror(code))) }
    }
}

/// What libcurl reads a message from; used by one thread.
private final class Upload {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func copy(into buffer: UnsafeMutablePointer<CChar>, atMost limit: Int) -> Int {
        let count = min(limit, bytes.count - position)
        bytes.withUnsafeBytes { source in
            UnsafeMutableRawBufferPointer(start: buffer, count: count).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: source[position..<position + count]))
        }
        position += count
        return count
    }
}
