import Testing

// The corpus of requests that two servers could read differently: what is known of request smuggling and desync (RFC 9112 section 11.2, "HTTP Desync
// Attacks", "HTTP/1.1 must die", the test suites of other proxies). The lists are multiplied where one trick meets another: each spelling of
// a transfer coding stands alone, before a length and after one.

/// Bytes that no upstream may ever see as a request.
struct HostileRequest: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    var status = 400
    /// Its head is fine and its body is not: the upstream may have seen the head before the body went wrong, but never the end.
    var isBroken = false

    var testDescription: String { name }

    static let all = codings + lengths + fieldLines + hosts + requestLines + bodies + otherStatus

    private static func post(_ fields: String, _ body: String = "0\r\n\r\n") -> String {
        "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n\(body)"
    }

    // MARK: Transfer-Encoding

    private static let codingLines = [
        "Transfer-Encoding: xchunked", "Transfer-Encoding: chunkedx", "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked,", "Transfer-Encoding: ,chunked", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: 'chunked'",
        "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: chunked chunked", "Transfer-Encoding: \u{0B}chunked",
        "Transfer-Encoding: chunked\u{0B}",
        "Transfer-Encoding: \u{0C}chunked", "Transfer-Encoding: chunked\u{0C}", "Transfer-Encoding: \u{00A0}chunked",
        "Transfer-Encoding: chun\u{212A}ed",
        "Transfer-Encoding: chunked\0", "Transfer-Encoding: \0chunked", "Transfer-Encoding: chunked\u{7F}",
        "Transfer-Encoding: \u{08}chunked",
        "Transfer-Encoding:", "Transfer-Encoding: cow", "Transfer-Encoding: %63hunked", "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding:\r\n\tchunked",
        "Transfer-Encoding:\n chunked", "Transfer-Encoding: chunked\r\n , identity", "Transfer-Encoding: x\r\n chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked", "Transfer-Encoding\u{0B}: chunked", " Transfer-Encoding: chunked", "\tTransfer-Encoding: chunked",
        "Transfer-Encoding\0: chunked", "\u{0B}Transfer-Encoding: chunked", "Transfer Encoding: chunked", "Transfer-Encoding\r: chunked",
        "X: y\nTransfer-Encoding: chunked", "X: y\rTransfer-Encoding: chunked", "X: y\r\r\nTransfer-Encoding: chunked",
        "\rTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-encoding: cow",
        "Transfer-Encoding: chunked\r\nTRANSFER-ENCODING:", "Transfer-Encoding;: chunked", "Transfer-Encoding",
        "Transfer-Encoding; chunked",
    ]

    private static let codings =
        codingLines.flatMap { line in
            [
                HostileRequest(name: "coding alone: \(line.debugDescription)", text: post(line)),
                HostileRequest(name: "CL.TE: \(line.debugDescription)", text: post("Content-Length: 6\r\n" + line, "0\r\n\r\nG")),
                HostileRequest(name: "TE.CL: \(line.debugDescription)", text: post(line + "\r\nContent-Length: 4", "5c\r\n0\r\n\r\n")),
            ]
        } + [
            HostileRequest(name: "CL.TE", text: post("Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\nG")),
            HostileRequest(name: "TE.CL", text: post("Transfer-Encoding: chunked\r\nContent-Length: 4", "5c\r\n")),
            HostileRequest(name: "CL.TE with a length of 0", text: post("Content-Length: 0\r\nTransfer-Encoding: chunked")),
            HostileRequest(name: "TE in 1.0", text: "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            HostileRequest(
                name: "TE in 1.0, kept alive",
                text: "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            HostileRequest(
                name: "TE with its name in Connection",
                text: post("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\nContent-Length: 5")),
        ]

    // MARK: Content-Length

    private static let lengthLines = [
        "Content-Length: +1", "Content-Length: -1", "Content-Length: -0", "Content-Length: 0x1", "Content-Length: 1h",
        "Content-Length: 1.0", "Content-Length: 1e0",
        "Content-Length: 1_0", "Content-Length: 1 0", "Content-Length: 01", "Content-Length: 00", "Content-Length: 010",
        "Content-Length: 1,", "Content-Length: ,1",
        "Content-Length: 1, 1", "Content-Length: 1,1", "Content-Length: 1, 2", "Content-Length: 1;1", "Content-Length: \"1\"",
        "Content-Length:",
        "Content-Length: a", "Content-Length: \u{0B}1", "Content-Length: 1\u{0C}", "Content-Length: \0" + "1", "Content-Length: 1\0",
        "Content-Length: \u{0661}",
        "Content-Length: 99999999999999999999", "Content-Length: 18446744073709551617", "Content-Length: 9223372036854775808",
        "Content-Length: 4294967297000000000",
        "Content-Length : 1", "Content-Length\t: 1", " Content-Length: 1", "Content-Length:\r\n 1", "Content-Length: 1\r\n 0",
        "X: y\nContent-Length: 1",
        "X: y\rContent-Length: 1", "Content-Length: 1\r\nContent-Length: 2", "Content-Length: 1\r\nContent-Length: 1",
        "Content-Length: 1\r\ncontent-length: 1",
        "Content-Length: 0\r\nContent-Length: 1", "Content-Length: 1\r\nX: y\r\nCONTENT-LENGTH: 0", "Content Length: 1",
        "Content-Length\0: 1",
    ]

    private static let lengths = lengthLines.flatMap { line in
        [
            HostileRequest(name: "length: \(line.debugDescription)", text: post(line, "a")),
            HostileRequest(name: "length of a GET: \(line.debugDescription)", text: "GET / HTTP/1.1\r\n\(line)\r\nHost: a\r\n\r\na"),
        ]
    }

    // MARK: Lines and names

    private static let fieldLines =
        [
            ("obs-fold", "X: 1\r\n 2"), ("obs-fold by a tab", "X: 1\r\n\t2"), ("obs-fold of nothing", "X: 1\r\n "),
            ("bare LF", "X: 1\nY: 2"),
            ("bare LF and an empty line", "X: 1\n\nGET /smuggled HTTP/1.1\r\nHost: a"), ("bare CR in a value", "X: a\rb"),
            ("bare CR at an end", "X: a\r\r\nY: b"),
            ("LF CR", "X: a\n\rY: b"), ("CR and an empty line", "X: a\r\rGET /smuggled HTTP/1.1\r\rHost: a"), ("NUL in a value", "X: a\0b"),
            ("NUL at an end", "X: a\0"), ("NUL in a name", "X\0: ab"), ("NUL for a name", "\0: ab"),
            ("a control byte in a value", "X: a\u{1B}b"), ("DEL in a value", "X: a\u{7F}"),
            ("vertical tab in a value", "X: a\u{0B}b"), ("name with a space", "X Y: ab"), ("name with a tab", "X\tY: ab"),
            ("space before the colon", "X : ab"),
            ("tab before the colon", "X\t: ab"), ("space before the name", " X: ab"), ("no name", ": ab"), ("no colon", "abc"),
            ("only a space", " "), ("only a tab", "\t"),
            ("name in brackets", "(X): ab"), ("name in quotes", "\"X\": ab"), ("name with a slash", "X/Y: ab"),
            ("name with an at", "X@Y: ab"), ("name with an equals", "X=Y: ab"),
            ("name with an eighth bit", "X\u{e9}: ab"), ("name with a comma", "X,Y: ab"),
            ("a request for a field", "GET /smuggled HTTP/1.1"),
        ].map { HostileRequest(name: $0.0, text: "GET / HTTP/1.1\r\nHost: a\r\n\($0.1)\r\n\r\n") }
        + [
            HostileRequest(name: "the first line folded", text: "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
            HostileRequest(name: "bare LF everywhere", text: "GET / HTTP/1.1\nHost: a\n\n"),
            HostileRequest(name: "bare LF after the request line", text: "GET / HTTP/1.1\nHost: a\r\n\r\n"),
            HostileRequest(name: "bare LF at the end of the head", text: "GET / HTTP/1.1\r\nHost: a\r\n\n"),
            HostileRequest(name: "bare LF before the request", text: "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            HostileRequest(name: "a space before the request", text: " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            HostileRequest(name: "NUL before the request", text: "\0GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ]

    // MARK: Host

    private static let hosts =
        [
            "a b", "a\tb", "u@a", "u:p@a", "a@", "", "a/b", "a/", "/a", "a?b", "a#b", "a\\b", "a,b", "a;b", "a:80:80", "a:b", "a:80@b",
            "a:-1", "a:+80", "a:123456", ":80", ":",
            "[::1", "::1]", "::1", "[]", "[::1]a", "[::1]:b", "[a", "[g]", "a[", "http://a", "a%00", "a%2eb", "\u{e9}", "a\"", "<a>", "a\0",
            "a\u{7F}", "*", "{a}", "a|b",
        ].map { HostileRequest(name: "host: \($0.debugDescription)", text: "GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n") }
        + [
            ("none", "GET / HTTP/1.1\r\n\r\n"), ("two", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
            ("two alike", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"),
            ("one of two folded", "GET / HTTP/1.1\r\nHost: a\r\n Host: b\r\n\r\n"),
            ("a space before its colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
            ("two in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), ("bad in 1.0", "GET / HTTP/1.0\r\nHost: u@a\r\n\r\n"),
            ("not the authority", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("not the authority's port", "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("none beside an authority", "GET http://a/ HTTP/1.1\r\n\r\n"),
            ("a user in both", "GET http://u@a/ HTTP/1.1\r\nHost: u@a\r\n\r\n"),
            ("a user in the authority", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("authority after an at", "GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n"),
            ("authority with a backslash", "GET http://a\\b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("empty authority", "GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("authority without a path", "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("authority and a query", "GET http://a?/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("scheme with one slash", "GET http:/a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("authority alone", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), ("at and a path", "GET @a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a folder of dots in the authority's path", "GET http://a/../b HTTP/1.1\r\nHost: a\r\n\r\n"),
        ].map { HostileRequest(name: "host: \($0.0)", text: $0.1) }

    // MARK: The request line

    private static let requestLines = [
        "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET\t/ HTTP/1.1", "GET /\tHTTP/1.1", "GET / HTTP/1.1 ", "GET / HTTP/1.1\t", "GET /", "GET",
        "/ HTTP/1.1", "GET HTTP/1.1",
        "GET / http/1.1", "GET / HTTP/1.1x", "GET / HTTP/01.1", "GET / HTTP/1.01", "GET / HTTP/1,1", "GET / HTTP/1", "GET / HTTP/",
        "GET / HTTP /1.1", "GET / HTTPS/1.1",
        "GET / XHTTP/1.1", "GET /a b HTTP/1.1", "GET / HTTP/1.1 HTTP/1.1", "GET /smuggled HTTP/1.1 / HTTP/1.1", "GET\u{0B}/ HTTP/1.1",
        "GET\0/ HTTP/1.1", "GET /\0 HTTP/1.1",
        "GET /\rHTTP/1.1", "GET / HTTP/1.1\r", "G(T / HTTP/1.1", "G/T / HTTP/1.1", "GET: / HTTP/1.1", "\"GET\" / HTTP/1.1",
        "G\u{e9}T / HTTP/1.1", "GET /#a HTTP/1.1",
        "GET /?a#b HTTP/1.1", "GET /\u{e9} HTTP/1.1", "GET /a\u{7F} HTTP/1.1", "GET /a?b\u{e9} HTTP/1.1", "OPTIONS * HTTP/1.1",
        "GET * HTTP/1.1", "GET a HTTP/1.1", "GET ?a HTTP/1.1",
        "GET \\ HTTP/1.1", "GET /\\ HTTP/1.1", "GET /%00 HTTP/1.1", "GET /%0d%0a HTTP/1.1", "GET /%2f HTTP/1.1", "GET /%5c HTTP/1.1",
        "GET /%g0 HTTP/1.1", "GET /% HTTP/1.1",
        "GET /.. HTTP/1.1", "GET /%2e%2e/ HTTP/1.1", "GET /a/..;x/ HTTP/1.1", "GET /< HTTP/1.1", "GET /\" HTTP/1.1", "GET /a|b HTTP/1.1",
        "GET /{ HTTP/1.1",
        String(repeating: "A", count: 33) + " / HTTP/1.1",
    ].map { HostileRequest(name: "line: \($0.debugDescription)", text: $0 + "\r\nHost: a\r\n\r\n") }

    // MARK: Chunks

    private static let bodies = [
        ("extension", "1;a=b\r\nx\r\n0\r\n\r\n"), ("extension without a value", "1;a\r\nx\r\n0\r\n\r\n"),
        ("empty extension", "1;\r\nx\r\n0\r\n\r\n"),
        ("extension of the last", "1\r\nx\r\n0;a=b\r\n\r\n"), ("extension with a bare LF", "1;a\nx\r\n0\r\n\r\n"),
        ("extension with a bare CR", "1;a\rb\r\nx\r\n0\r\n\r\n"),
        ("extension with a quoted line end", "1;a=\"\r\nx\r\n0\r\n\r\n"), ("space after the size", "1 \r\nx\r\n0\r\n\r\n"),
        ("tab after the size", "1\t\r\nx\r\n0\r\n\r\n"),
        ("space before the size", " 1\r\nx\r\n0\r\n\r\n"), ("tab before the size", "\t1\r\nx\r\n0\r\n\r\n"),
        ("size overflows", "10000000000000001\r\nx\r\n0\r\n\r\n"),
        ("size of all ones", "FFFFFFFFFFFFFFFF\r\nx\r\n0\r\n\r\n"),
        ("size wraps to 1", "100000000000000000000000000000001\r\nx\r\n0\r\n\r\n"),
        ("size with many zeros", String(repeating: "0", count: 40) + "1\r\nx\r\n0\r\n\r\n"), ("signed size", "+1\r\nx\r\n0\r\n\r\n"),
        ("negative size", "-1\r\nx\r\n0\r\n\r\n"),
        ("negative zero", "1\r\nx\r\n-0\r\n\r\n"), ("size with 0x", "0x1\r\nx\r\n0\r\n\r\n"),
        ("size with an underscore", "1_0\r\nx\r\n0\r\n\r\n"), ("size with an h", "1h\r\nx\r\n0\r\n\r\n"),
        ("size with a point", "1.0\r\nx\r\n0\r\n\r\n"), ("size in quotes", "\"1\"\r\nx\r\n0\r\n\r\n"),
        ("two sizes", "1 1\r\nx\r\n0\r\n\r\n"), ("two sizes in a list", "1,1\r\nx\r\n0\r\n\r\n"),
        ("no size", "\r\nx\r\n0\r\n\r\n"), ("a letter that is no digit", "g\r\nx\r\n0\r\n\r\n"),
        ("NUL in the size", "1\0\r\nx\r\n0\r\n\r\n"),
        ("digits of another script", "\u{0661}\r\nx\r\n0\r\n\r\n"), ("bare LF after the size", "1\nx\r\n0\r\n\r\n"),
        ("bare CR after the size", "1\rx\r\n0\r\n\r\n"),
        ("two CR after the size", "1\r\r\nx\r\n0\r\n\r\n"), ("bare LF after the data", "1\r\nx\n0\r\n\r\n"),
        ("bare CR after the data", "1\r\nx\r0\r\n\r\n"),
        ("no line end after the data", "1\r\nx0\r\n\r\n"), ("longer than said", "1\r\nxyz\r\n0\r\n\r\n"),
        ("shorter than said", "3\r\nx\r\n0\r\n\r\n"),
        ("bare LF after the last", "1\r\nx\r\n0\n\r\n"), ("bare LF at the end", "1\r\nx\r\n0\r\n\n"),
        ("trailer with a bare LF", "0\r\nX: 1\n\r\n"), ("trailer folded", "0\r\nX: 1\r\n 2\r\n\r\n"),
        ("trailer with a NUL", "0\r\nX: \0\r\n\r\n"), ("trailer with a space in its name", "0\r\nX Y: 1\r\n\r\n"),
        ("trailer without a colon", "0\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
        ("trailer without a name", "0\r\n: 1\r\n\r\n"), ("a space for a trailer", "0\r\n \r\n\r\n"),
        ("trailers without end", "0\r\n" + String(repeating: "X: 1\r\n", count: 65) + "\r\n"),
        ("a trailer of 9 KB", "0\r\nX: " + String(repeating: "a", count: 9000) + "\r\n\r\n"),
    ].map { HostileRequest(name: "chunk: \($0.0)", text: post("Transfer-Encoding: chunked", $0.1), isBroken: true) }

    // MARK: What has a status of its own

    /// A line of a megabyte is too large (431, RFC 6585) rather than malformed: nothing in it is ambiguous, and whoever sends it by mistake learns why.
    private static let otherStatus: [HostileRequest] = {
        let megabyte = String(repeating: "a", count: 1 << 20)
        return [
            HostileRequest(name: "a request line of 1 MB", text: "GET /\(megabyte) HTTP/1.1\r\nHost: a\r\n\r\n", status: 431),
            HostileRequest(name: "a method of 1 MB", text: "\(megabyte) / HTTP/1.1\r\nHost: a\r\n\r\n", status: 431),
            HostileRequest(name: "a field of 1 MB", text: "GET / HTTP/1.1\r\nHost: a\r\nX: \(megabyte)\r\n\r\n", status: 431),
            HostileRequest(name: "a name of 1 MB", text: "GET / HTTP/1.1\r\nHost: a\r\n\(megabyte): 1\r\n\r\n", status: 431),
            HostileRequest(name: "a host of 1 MB", text: "GET / HTTP/1.1\r\nHost: \(megabyte)\r\n\r\n", status: 431),
            HostileRequest(name: "a megabyte without a line", text: megabyte, status: 431),
            HostileRequest(
                name: "101 fields", text: "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: 1\r\n", count: 101) + "\r\n", status: 431),
            HostileRequest(name: "CONNECT", text: "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", status: 405),
            HostileRequest(name: "CONNECT of a path", text: "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", status: 405),
            HostileRequest(name: "connect in small letters", text: "connect / HTTP/1.1\r\nHost: a\r\n\r\n", status: 405),
            HostileRequest(name: "Trace in other letters", text: "Trace / HTTP/1.1\r\nHost: a\r\n\r\n", status: 405),
            HostileRequest(name: "version 2.0", text: "GET / HTTP/2.0\r\nHost: a\r\n\r\n", status: 505),
            HostileRequest(name: "version 0.9", text: "GET / HTTP/0.9\r\nHost: a\r\n\r\n", status: 505),
            HostileRequest(name: "version 1.2", text: "GET / HTTP/1.2\r\nHost: a\r\n\r\n", status: 505),
            HostileRequest(name: "the preface of HTTP/2", text: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505),
        ]
            + ["x", "y 100-continue", "100-continue, x", "", "100-continue\r\nExpect: 100-continue", "100-continue=1"].map { value in
                HostileRequest(
                    name: "expects \(value.debugDescription)",
                    text: "POST / HTTP/1.1\r\nHost: a\r\nExpect: \(value)\r\nContent-Length: 5\r\n\r\nhello",
                    status: 417)
            }
    }()
}
