import NIOCore
import Testing

@testable import HTTPProxy

// Fuzzing of what reads requests. Each input is held against promises that need no knowledge of what it means: it is read the same wherever the network
// cuts it; a second, independent reading (`ReferenceRequest`) accepts the same and ends at the same byte; and what is sent on for it reads as one
// request, with the same method, path, framing and fields.
//
// In `make test` it is a short run that is always the same; `make fuzz-parser` goes on for as long as is wished (`FuzzRun`).

@Suite("Fuzzing the reading of requests", .timeLimit(.minutes(120)))
struct ParserFuzzTests {
    @Test("requests are read in one way only, and what is sent on for them is read in the same way")
    func requests() throws {
        var run = FuzzRun(shortRun: 20_000)
        var mutator = RequestMutator(run.dice)
        let snapshot = try ProxySnapshot(ProxyConfiguration(routes: []))
        var accepted = 0
        while run.goesOn() {
            let input = mutator.request()
            let whole = RequestReading(input, cuts: [])
            let pieces = RequestReading(input, cuts: mutator.cuts(of: input.count))
            let reference = ReferenceRequest(
                input, maximumBytes: RequestReading.limits.maximumBytes, maximumFields: RequestReading.limits.maximumFields)
            var read: ReferenceRequest?
            if case .accepted(let request) = whole.outcome { read = request }
            try #require(
                whole.outcome == pieces.outcome, "input \(run.inputs) of seed \(run.seed) depends on where it is cut: \(Self.text(input))")
            try #require(read == reference, "input \(run.inputs) of seed \(run.seed) is read in two ways: \(Self.text(input))")
            guard let head = whole.head else { continue }
            accepted += 1
            let sent = Self.sentOn(head, snapshot)
            try #require(
                Self.isSame(head, sent),
                "input \(run.inputs) of seed \(run.seed), \(Self.text(input)), is sent on as \(String(buffer: sent))")
        }
        // Nonsense alone would show nothing.
        #expect(accepted > run.inputs / 10 && accepted < run.inputs * 9 / 10)
    }

    private static func text(_ input: [UInt8]) -> String { String(decoding: input, as: UTF8.self).debugDescription }

    private static func sentOn(_ head: RequestHead, _ snapshot: ProxySnapshot) -> ByteBuffer {
        var generator = SystemRandomNumberGenerator()
        var identifiers = IdentifierGenerator(seededBy: &generator)
        let identity = RequestIdentity(
            requestID: "id", forwardedFor: "127.0.0.1", scheme: .http, trace: TraceContext(startedBy: &identifiers))
        var buffer = ByteBuffer()
        let writer = RequestWriter(
            head: head, snapshot: snapshot, changes: HeaderChanges(), isTrusted: false, rewrite: nil, switchesTo: nil)
        buffer.writePieces { writer.write(identity, fallbackHost: Endpoint(host: "upstream", port: 80), to: &$0) }
        return buffer
    }

    /// Whether these bytes are one head, whole, that says the same as `head`.
    private static func isSame(_ head: RequestHead, _ bytes: ByteBuffer) -> Bool {
        var parser = HeadParser(limits: HeadLimits(maximumBytes: 16_384, maximumFields: 40))
        guard bytes.withUnsafeReadableBytes({ parser.parse($0) }) == .complete(bytes.readableBytes),
            case .success(let again) = RequestHead.read(bytes, fields: parser.fields, startLineLength: parser.startLineLength)
        else { return false }
        let hop: Set = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id", "traceparent", "te", "connection"]
        let names = Set(head.fields.map { name($0, of: head) })
        let isKnown = again.fields.allSatisfy {
            hop.contains(name($0, of: again)) || $0.known == .transferEncoding || $0.known == .host || names.contains(name($0, of: again))
        }
        return isKnown && again.method == head.method && again.path == head.path && again.query == head.query
            && again.framing == head.framing
            && again.host == head.host ?? "upstream:80" && kept(head, named: head) == kept(again, named: head)
    }

    private static func name(_ field: FieldEntry, of head: RequestHead) -> String {
        head.bytes.withUnsafeReadableBytes { String(decoding: $0[part: field.name], as: UTF8.self).lowercased() }
    }

    /// The fields that concern both ends, but for those that the client's `Connection` names.
    private static func kept(_ head: RequestHead, named client: RequestHead) -> [String] {
        let named = client.values("connection").joined(separator: ",").lowercased().split(separator: ",").map { element in
            String(element.filter { $0 != " " && $0 != "\t" })
        }
        return head.fields.filter { $0.known == .other && !named.contains(name($0, of: head)) }.map { field in
            head.bytes.withUnsafeReadableBytes { String(decoding: $0[part: field.line], as: UTF8.self) }
        }
    }
}
