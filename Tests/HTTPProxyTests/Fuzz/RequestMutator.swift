@testable import HTTPProxy

/// Makes requests that are nearly right, or wrong in an interesting way: pieces of the corpus, cut, joined, repeated and sprinkled with what matters to a parser.
/// The same seed makes the same requests.
struct RequestMutator {
    private var dice: FuzzDice
    private let seeds: [[UInt8]]

    private static let good = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/b?c HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
        "POST /a%2Ab;c/d HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\nhello",
        "PUT / HTTP/1.1\r\nHost: [::1]:8\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: y\r\nHost: b\r\n\r\n",
        "GET //a///b HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nX_Forwarded_For: b\r\n\r\n",
    ]

    private static let words = [
        "\r\n", "\r", "\n", "\0", " ", "\t", "\u{0B}", ":", ";", ",", "/", "..", "%2e", "%2f", "?", "#", "@", "[", "]", "0", "1", "+", "-",
        "0x", "_", "chunked", "identity",
        "Transfer-Encoding: chunked\r\n", "Content-Length: 5\r\n", "Content-Length: 0\r\n", "Host: a\r\n", "Host: b\r\n",
        "Expect: 100-continue\r\n", "Connection: host\r\n",
        "\r\n\r\n", "0\r\n\r\n", "5\r\nhello\r\n", "HTTP/1.1", "HTTP/1.0", "http://a", " \r\n", "X: y\r\n z\r\n", "X_Y: z\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ].map { Array($0.utf8) }

    init(_ dice: FuzzDice) {
        self.dice = dice
        // What is long is tried by the corpus itself.
        let corpus = HostileRequest.all.map(\.text).filter { $0.utf8.count < 1000 }
        // The good ones weigh as much as all the bad ones: a change to what is wrong already mostly leaves it wrong.
        let weight = max(1, corpus.count / Self.good.count)
        seeds = corpus.map { Array($0.utf8) } + (0..<weight).flatMap { _ in Self.good.map { Array($0.utf8) } }
    }

    mutating func request() -> [UInt8] {
        var bytes = seeds[dice.below(seeds.count)]
        for _ in 0..<dice.below(4) { mutate(&bytes) }
        return bytes
    }

    mutating func cuts(of count: Int) -> [Int] { dice.cuts(of: count) }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = dice.below(bytes.count + 1)
        let end = place + dice.below(min(16, bytes.count - place) + 1)
        switch dice.below(7) {
        case 0: bytes.insert(contentsOf: Self.words[dice.below(Self.words.count)], at: place)
        case 1: bytes.replaceSubrange(place..<end, with: Self.words[dice.below(Self.words.count)])
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 4: bytes.insert(UInt8(truncatingIfNeeded: dice.next()), at: place)
        case 5: if place < bytes.count { bytes[place] ^= 1 << UInt8(dice.below(8)) }
        default:
            let other = seeds[dice.below(seeds.count)]
            bytes.replaceSubrange(place..., with: other[dice.below(other.count)...])
        }
    }
}
