import Testing
import Tracing

@testable import Chassis

@Suite struct TraceContextTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let span = "b7ad6b7169203331"

    @Test("a valid traceparent is read and written back")
    func roundTrip() throws {
        let context = try #require(TraceContext(traceparent: "00-\(Self.trace)-\(Self.span)-01"))
        #expect(context.traceID.description == Self.trace)
        #expect(context.spanID.description == Self.span)
        #expect(context.isSampled)
        #expect(context.traceparent == "00-\(Self.trace)-\(Self.span)-01")
    }

    @Test(
        "of the flags only sampled is known; others are sent as zero",
        arguments: [
            ("00", "00"), ("01", "01"), ("02", "00"), ("03", "01"), ("ff", "01"), ("fe", "00"),
        ])
    func flags(received: String, sent: String) throws {
        let context = try #require(TraceContext(traceparent: "00-\(Self.trace)-\(Self.span)-\(received)"))
        #expect(context.traceparent.suffix(2) == sent)
    }

    @Test(
        "a later version is read as far as this one knows it, and sent as version 00",
        arguments: [
            "cc-\(trace)-\(span)-01", "cc-\(trace)-\(span)-01-what-the-future-brings", "01-\(trace)-\(span)-01-",
        ])
    func laterVersion(_ header: String) throws {
        #expect(try #require(TraceContext(traceparent: header)).traceparent == "00-\(Self.trace)-\(Self.span)-01")
    }

    @Test(
        "anything else is not a traceparent",
        arguments: [
            "", "00", "00-\(trace)-\(span)", "00-\(trace)-\(span)-", "00-\(trace)-\(span)-1", "00-\(trace)-\(span)-011",
            "00-\(trace)-\(span)-01-",
            "00-\(trace)-\(span)-01-x", "00-\(trace)-\(span)-01, 00-\(trace)-\(span)-01", "ff-\(trace)-\(span)-01",
            "cc-\(trace)-\(span)-01.x",
            "0-\(trace)-\(span)-01", "000-\(trace)-\(span)-01", "00-\(trace.uppercased())-\(span)-01",
            "00-\(trace)-\(span.uppercased())-01",
            "0A-\(trace)-\(span)-01", "00-\(trace)-\(span)-0A", "00-00000000000000000000000000000000-\(span)-01",
            "00-\(trace)-0000000000000000-01",
            "00_\(trace)_\(span)_01", " 00-\(trace)-\(span)-01", "00-\(trace)-\(span)-01 ", "00-\(trace.dropLast())-\(span)-01x",
            "00-\(trace.dropLast())é-\(span)-01", "00-.\(trace.dropFirst())-\(span)-01", "00-\(trace)-.\(span.dropFirst())-01",
            "..-\(trace)-\(span)-01",
        ])
    func invalid(_ header: String) {
        #expect(TraceContext(traceparent: header) == nil)
    }

    @Test("a tracestate that breaks the grammar is dropped, and the traceparent beside it stands")
    func badState() throws {
        let context = try #require(TraceContext(traceparent: "00-\(Self.trace)-\(Self.span)-01", tracestate: "foo=1,BAR=2"))
        #expect(context.state == .empty)
    }

    @Test("ids are never zero")
    func identifiers() {
        let zeros: [UInt64] = [0, 0, 0, 7, 0, 0, 9]
        let source = IteratorBox(zeros.makeIterator())
        #expect(TraceID.random(Randomness { source.next() }).description == "00000000000000000000000000000007")
        #expect(SpanID.random(Randomness { source.next() }).description == "0000000000000009")
        #expect(TraceID(String(repeating: "0", count: 32)) == nil)
        #expect(SpanID("12") == nil)
    }
}

@Suite struct TraceStateTests {
    @Test(
        "a valid list is read in order and written without the whitespace",
        arguments: [
            ("foo=1", "foo=1"), ("foo=1,bar=2", "foo=1,bar=2"), ("foo=1 , \t bar=2", "foo=1,bar=2"), ("foo=1,,bar=2,", "foo=1,bar=2"),
            ("", ""), (" ", ""),
            ("a-_*/0=~!#", "a-_*/0=~!#"), ("0tenant@system=v", "0tenant@system=v"), ("foo= 1", "foo= 1"), ("foo=a b", "foo=a b"),
        ])
    func valid(header: String, written: String) throws {
        #expect(try #require(TraceState(header)).headerValue == written)
    }

    @Test(
        "a list that breaks the grammar is no list",
        arguments: [
            "foo", "=1", "foo=", "foo =1", "FOO=1", "0foo=1", "foo.bar=1", "foo@=1", "@foo=1", "foo@@bar=1", "foo@bar@baz=1", "foo@0bar=1",
            "foo=1=2",
            "foo=ü", "foo=\u{7F}", "foo=a\tb", "foo=1;bar=2=3", "\(String(repeating: "k", count: 257))=1",
            "\(String(repeating: "t", count: 242))@v=1",
            "t@\(String(repeating: "v", count: 15))=1", "foo=\(String(repeating: "v", count: 257))",
            (0..<33).map { "k\($0)=v" }.joined(separator: ","),
        ])
    func invalid(_ header: String) {
        #expect(TraceState(header) == nil)
    }

    @Test("the longest keys and values allowed are allowed")
    func longest() {
        #expect(TraceState("\(String(repeating: "k", count: 256))=\(String(repeating: "v", count: 256))") != nil)
        #expect(TraceState("\(String(repeating: "t", count: 241))@\(String(repeating: "v", count: 14))=1") != nil)
        #expect(TraceState((0..<32).map { "k\($0)=v" }.joined(separator: ","))?.members.count == 32)
    }

    @Test("of repeated keys the first stays")
    func repeated() {
        #expect(TraceState("a=1,b=2,a=3")?.headerValue == "a=1,b=2")
    }

    @Test("at most 512 characters are passed on: the long members go first, then the last")
    func shortened() throws {
        let short = (0..<20).map { "k\($0)=\(String(repeating: "v", count: 20))" }
        let long = "long=\(String(repeating: "x", count: 200))"
        #expect(try #require(TraceState(([long] + short).joined(separator: ","))).headerValue == short.joined(separator: ","))
        let many = (0..<32).map { "k\($0)=\(String(repeating: "v", count: 20))" }
        let header = try #require(TraceState(many.joined(separator: ","))).headerValue
        #expect(header.utf8.count <= 512)
        #expect(many.joined(separator: ",").hasPrefix(header))
    }
}
