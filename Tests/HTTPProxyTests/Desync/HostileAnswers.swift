import Testing

/// What an upstream may answer that two readers could take for different answers.
struct HostileAnswer: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String

    var testDescription: String { name }

    /// The head alone gives them away: the client gets a 502 and nothing of them.
    static let badHeads =
        fieldLines.map { HostileAnswer(name: $0.debugDescription, text: "HTTP/1.1 200 OK\r\n\($0)\r\n\r\nsecret") }
        + statusLines.map { HostileAnswer(name: $0.debugDescription, text: "\($0)\r\nContent-Length: 6\r\n\r\nsecret") }
        + [
            HostileAnswer(
                name: "a coding in HTTP/1.0", text: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n0\r\n\r\n"),
            HostileAnswer(name: "bare LF everywhere", text: "HTTP/1.1 200 OK\nContent-Length: 6\n\nsecret"),
            HostileAnswer(
                name: "17 times 100",
                text: String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 17) + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"),
            HostileAnswer(
                name: "a flood of 103", text: String(repeating: "HTTP/1.1 103 Early Hints\r\nLink: </style>\r\n\r\n", count: 10_000)),
            HostileAnswer(
                name: "101 that nobody asked for",
                text: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nsecret"),
            HostileAnswer(name: "201 fields", text: "HTTP/1.1 200 OK\r\n" + String(repeating: "X: secret\r\n", count: 201) + "\r\n"),
            HostileAnswer(
                name: "a field of 1 MB", text: "HTTP/1.1 200 OK\r\nX: " + String(repeating: "secret", count: 175_000) + "\r\n\r\n"),
            HostileAnswer(name: "a line of 1 MB", text: String(repeating: "secret", count: 175_000)),
        ]

    private static let fieldLines = [
        "Content-Length: 6\r\nContent-Length: 7", "Content-Length: 6\r\nContent-Length: 6", "Content-Length: 6, 6", "Content-Length: +6",
        "Content-Length: -6",
        "Content-Length: 06", "Content-Length: 0x6", "Content-Length: 6 6", "Content-Length:", "Content-Length: 99999999999999999999",
        "Content-Length : 6",
        "Content-Length:\r\n 6", "Content-Length: 6\nX: y", "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 6",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity", "Transfer-Encoding: xchunked", "Transfer-Encoding: \u{0B}chunked", "Transfer-Encoding : chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding:", "X: 1\r\n 2", "X: 1\nY: 2", "X: a\rb", "X: a\0b", "X\0: a", "X Y: a", "X : a", ": a", "abc", " X: a",
        "X: a\u{1B}b",
    ]

    private static let statusLines = [
        "HTTP/1.1 abc OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 Low", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK",
        "HTTP/1.1 +20 OK", "HTTP/1.1 200\tOK", "HTTP/1.1 200 a\0b",
        "HTTP/1.1 200 a\rb", "http/1.1 200 OK", "HTTP/2.0 200 OK", "HTTP/0.9 200 OK", "HTTP/1.1x 200 OK", "HTTP/1.1", "200 OK",
        "ICY 200 OK", "\r\nHTTP/1.1 200 OK", " HTTP/1.1 200 OK",
        "SSH-2.0-OpenSSH", "\u{16}\u{03}\u{01}", "GET / HTTP/1.1",
    ]

    /// The head is fine, so the client has it by the time the body goes wrong; what follows must cut it off.
    static let badBodies = [
        "g\r\nx\r\n0\r\n\r\n", "-1\r\nx\r\n0\r\n\r\n", "+1\r\nx\r\n0\r\n\r\n", "0x1\r\nx\r\n0\r\n\r\n", "1\nx\r\n0\r\n\r\n",
        "1\r\nx\n0\r\n\r\n", "1\r\nxyz\r\n0\r\n\r\n", "\r\n0\r\n\r\n",
        "10000000000000001\r\nx\r\n0\r\n\r\n", "1;\n\r\nx\r\n0\r\n\r\n", "1;" + String(repeating: "a", count: 300) + "\r\nx\r\n0\r\n\r\n",
        "0\r\nX: 1\n\r\n", "0\r\nX: 1\r\n 2\r\n\r\n", "0\r\nabc\r\n\r\n",
    ].map { HostileAnswer(name: $0.debugDescription, text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + $0) }

    /// A good answer and more than was asked for: the client gets the answer, and the connection is not used again.
    static let tooMuch = [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\0", "HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nsecret",
        "HTTP/1.1 304 Not Modified\r\n\r\nsecret",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\noksecret",
        "HTTP/1.1 103 Early Hints\r\nContent-Length: 6\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\noksecret",
    ].map { HostileAnswer(name: $0.debugDescription, text: $0) }
}
