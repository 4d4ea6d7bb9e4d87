import Testing

@testable import Chassis

@Suite("Deadlines and request ids")
struct DeadlineTests {
    private let clock = JumpingClock()

    @Test(
        "what a caller sends is how long is left, at most a minute",
        arguments: [("1500", 1500), ("0", 0), ("60001", 60_000), ("999999999999999999", 60_000)])
    func parsing(header: String, milliseconds: Int) throws {
        let deadline = try #require(Deadline.parse(header: header, time: clock.time))
        #expect(deadline.remaining(clock.time) == .milliseconds(milliseconds))
    }

    @Test("nonsense is no deadline", arguments: ["", "-1", "+5", "1.5", "1e3", " 5", "5 ", "abc", "٣", "99999999999999999999", nil])
    func nonsense(header: String?) {
        #expect(Deadline.parse(header: header, time: clock.time) == nil)
    }

    @Test("it passes, and then nothing is left")
    func passing() throws {
        let deadline = Deadline(after: .seconds(2), time: clock.time)
        clock.advance(by: .milliseconds(500))
        #expect(deadline.remaining(clock.time) == .milliseconds(1500))
        #expect(!deadline.hasPassed(clock.time))
        clock.advance(by: .seconds(5))
        #expect(deadline.remaining(clock.time) == .zero)
        #expect(deadline.hasPassed(clock.time))
    }

    @Test("a request id from outside is taken over only if it is harmless")
    func requestIDs() {
        for id in ["a", "0af7651916cd43dd8448eb211c80319c", "A-b_c.d:e", String(repeating: "x", count: 128)] {
            #expect(RequestIdentity.accepted(id) == id)
        }
        for id in [nil, "", "a b", "a\n", "a\"b", "é", "<script>", String(repeating: "x", count: 129)] {
            #expect(RequestIdentity.accepted(id) == nil)
        }
    }
}

@Suite("Paths of calls")
struct RequestPathTests {
    @Test("values cannot leave their place, and are no part of the route")
    func interpolation() {
        let id = "../7?x=1&y#z %é"
        let path: RequestPath = "/internal/products/\(id)/stock?after=\(12)&name=\("a&b")"
        #expect(path.path == "/internal/products/..%2F7%3Fx%3D1%26y%23z%20%25%C3%A9/stock?after=12&name=a%26b")
        #expect(path.route == "/internal/products/{}/stock")
    }

    @Test("a plain literal is its own route")
    func literal() {
        let path: RequestPath = "/.well-known/jwks.json"
        #expect(path.path == "/.well-known/jwks.json" && path.route == path.path)
    }
}
