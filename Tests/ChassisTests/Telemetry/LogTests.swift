import Commerce
import Foundation
import Logging
import Testing
import Tracing

@testable import Chassis

@Suite struct JSONLogTests {
    private let sink = LineSink()

    private func logger(label: String = "order-service", level: Logger.Level = .trace) -> Logger {
        let handler = StructuredLogHandler(
            label: label, service: "order-service", level: level, style: .json, output: sink.output, time: StoppedClock().time)
        return Logger(label: label, factory: { _ in handler })
    }

    private struct Declined: Error, CustomStringConvertible {
        var description: String { "card declined\nby the bank" }
    }

    @Test("a line is one JSON object with its members in a fixed order")
    func wholeLine() {
        logger(label: "jobs").error(
            "charge failed", error: Declined(),
            metadata: ["order": "17", "request_id": "r-1", "attempt": .stringConvertible(2), "nested": ["b": "2", "a": ["1", "x"]]])
        #expect(
            sink.lines == [
                #"{"time":"2026-11-23T21:34:22.000Z","level":"error","service":"order-service","logger":"jobs","message":"charge failed","#
                    + #""request_id":"r-1","error":{"type":"\#(String(reflecting: Declined.self))","message":"card declined\nby the bank"},"#
                    + #""metadata":{"attempt":2,"nested":{"a":["1","x"],"b":"2"},"order":"17"}}"# + "\n"
            ])
    }

    @Test("a plain event has no empty members")
    func shortLine() {
        logger().info("started")
        #expect(sink.lines == [#"{"time":"2026-11-23T21:34:22.000Z","level":"info","service":"order-service","message":"started"}"# + "\n"])
    }

    @Test(
        "nothing a client sends can start a line of its own, end the JSON, or steer a terminal",
        arguments: [
            "a\nb", "a\r\nb", "\"},{\"level\":\"info", "back\\slash", "\u{1B}[2Jgone", "\u{9B}31m", "\u{7F}\u{0}",
            "line\u{2028}sep\u{2029}",
            "\u{202E}gnp.exe", "\u{2066}x\u{2069}", "plain – ünïcödé 🛒", "\u{C2}\u{E2}",
        ])
    func injection(_ text: String) throws {
        logger().info("\(text)", metadata: ["value": "\(text)", "\(text)": "key"])
        let line = try #require(sink.lines.first)
        #expect(line.hasSuffix("}\n"))
        #expect(
            line.unicodeScalars.dropLast().allSatisfy { scalar in
                scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value) && !(0x2028...0x202E).contains(scalar.value)
                    && !(0x2066...0x2069).contains(scalar.value)
            })
        let object = try sink.lastObject()
        #expect(object["message"] as? String == text)
        let metadata = try #require(object["metadata"] as? [String: String])
        #expect(metadata["value"] == text)
        #expect(metadata[text] == "key")
    }

    @Test("values under keys that name secrets or personal data are never written, at any depth")
    func redaction() {
        var logger = logger()
        logger[metadataKey: "sessionToken"] = "T0P"
        logger.info(
            "login",
            metadata: [
                "Password": "T0P", "email": "T0P", "customer_phone": "T0P", "Authorization": ["Bearer T0P"], "x-api-key": "T0P",
                "user": ["emailAddress": "T0P", "id": "7"], "list": [["client_secret": "T0P"]], "error": ["token": "T0P"],
            ])
        let line = sink.lines.joined()
        #expect(!line.contains("T0P"))
        #expect(line.components(separatedBy: Redaction.placeholder).count - 1 == 9)
        #expect(line.contains(#""id":"7""#))
    }

    @Test("a harmless key is not taken for a secret one", arguments: ["order", "status", "mail_count", "to", "", "ph one", "pass"])
    func harmlessKeys(_ key: String) {
        #expect(!Redaction.isSensitive(key))
    }

    @Test("trace, span and request id come from the current context, and a name of their own on the line")
    func contextIDs() throws {
        var context = ServiceContext.topLevel
        context.requestID = "req-9"
        context.traceContext = TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        ServiceContext.$current.withValue(context) { logger().info("inside") }
        let object = try sink.lastObject()
        #expect(object["request_id"] as? String == "req-9")
        #expect(object["trace_id"] as? String == "0af7651916cd43dd8448eb211c80319c")
        #expect(object["span_id"] as? String == "b7ad6b7169203331")
        #expect(object["metadata"] == nil)
    }

    @Test("what the call says wins over the context, and the context over the logger")
    func precedence() throws {
        var context = ServiceContext.topLevel
        context.requestID = "from-context"
        var logger = logger()
        logger[metadataKey: "request_id"] = "from-logger"
        ServiceContext.$current.withValue(context) { logger.info("one") }
        #expect(try sink.lastObject()["request_id"] as? String == "from-context")
        ServiceContext.$current.withValue(context) { logger.info("two", metadata: ["request_id": "from-call"]) }
        #expect(try sink.lastObject()["request_id"] as? String == "from-call")
    }

    @Test("Hummingbird's request id is shown as ours; an error passed as metadata stands where errors stand")
    func foreignKeys() throws {
        logger().info("x", metadata: ["hb.request.id": "hb-1", "error": "boom", "error_type": "Boom"])
        let object = try sink.lastObject()
        #expect(object["request_id"] as? String == "hb-1")
        #expect(object["error"] as? [String: String] == ["type": "Boom", "message": "boom"])
        #expect(object["metadata"] == nil)
    }

    @Test("a line has an end: long texts are cut at a character, deep values at a depth")
    func limits() throws {
        var deep: Logger.MetadataValue = "bottom"
        for _ in 0..<100 { deep = ["in": deep] }
        logger().info(
            "\(String(repeating: "ä", count: 1_000_000))", metadata: ["long": "\(String(repeating: "🛒", count: 100_000))", "deep": deep])
        let line = try #require(sink.lines.first)
        #expect(line.utf8.count < 25_000)
        let object = try sink.lastObject()
        #expect((object["message"] as? String)?.hasSuffix("ä…") == true)
        #expect((object["metadata"] as? [String: Any])?["long"] as? String == String(repeating: "🛒", count: 1024) + "…")
    }

    @Test("an event below the level is not written")
    func level() {
        logger(level: .warning).info("quiet")
        #expect(sink.lines.isEmpty)
    }

    @Test(
        "the clock on the line is the calendar's",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (1_709_210_096_789, "2024-02-29T12:34:56.789Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ])
    func calendar(milliseconds: Int64, text: String) {
        var bytes: [UInt8] = []
        CivilTime(Timestamp(millisecondsSinceEpoch: milliseconds)).appendRFC3339(to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }

    @Test("the line's clock and the wire's are the same, whatever the millisecond")
    func sameAsWire() {
        for milliseconds in (0..<1000).map({ 1_795_469_662_000 + $0 }) as [Int64] {
            let moment = Timestamp(millisecondsSinceEpoch: milliseconds)
            var bytes: [UInt8] = []
            CivilTime(moment).appendRFC3339(to: &bytes)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(moment.description == text)
            #expect(Timestamp(rfc3339: text) == moment)
        }
    }

    @Test("lines written from many threads at once are all there and all whole")
    func concurrentLines() async throws {
        let pipe = Pipe()
        let output = LogOutput(fileDescriptor: pipe.fileHandleForWriting.fileDescriptor)
        let text = String(repeating: "x", count: 9_000)
        let reading = Task.detached { pipe.fileHandleForReading.readDataToEndOfFile() }
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for line in 0..<20 { output.write(Array("\(writer) \(line) \(text)\n".utf8)) }
                }
            }
        }
        try pipe.fileHandleForWriting.close()
        let lines = String(decoding: await reading.value, as: UTF8.self).split(separator: "\n")
        #expect(Set(lines).count == 160)
        #expect(lines.allSatisfy { $0.hasSuffix(text) && $0.utf8.count < 9_010 })
    }
}

@Suite struct PrettyLogTests {
    private func line(colours: Bool, _ body: (Logger) -> Void) -> String {
        let sink = LineSink()
        let handler = StructuredLogHandler(
            label: "order-service", service: "order-service", level: .trace, style: .pretty(colours: colours), output: sink.output,
            time: StoppedClock().time)
        body(Logger(label: "order-service", factory: { _ in handler }))
        return sink.lines.joined()
    }

    @Test("a line for people has its columns aligned and its pairs readable")
    func plain() {
        let text = line(colours: false) {
            $0.warning(
                "stock is low", metadata: ["product": "7", "note": "two words", "password": "T0P", "request_id": "r-1", "trace_id": "t"])
        }
        #expect(
            text == "21:34:22.000 WARN  order-service         stock is low note=\"two words\" password=[redacted] product=7 request=r-1\n")
    }

    @Test("colours are the only control characters")
    func colours() {
        let text = line(colours: true) { $0.error("bad \u{1B}[2J", metadata: ["k": "v\n"]) }
        #expect(text.contains("\u{1B}[31mERROR\u{1B}[0m"))
        #expect(text.contains(#"bad \u001b[2J"#))
        #expect(text.contains(#"k="v\n""#))
        #expect(text.split(separator: "\n").count == 1)
    }

    @Test("auto is pretty on a terminal and JSON elsewhere; colours follow the terminal and the usual variables")
    func styles() {
        #expect(LogStyle(.auto, isTerminal: false, environment: [:]) == .json)
        #expect(LogStyle(.auto, isTerminal: true, environment: ["TERM": "xterm"]) == .pretty(colours: true))
        #expect(LogStyle(.auto, isTerminal: true, environment: ["NO_COLOR": "1"]) == .pretty(colours: false))
        #expect(LogStyle(.pretty, isTerminal: true, environment: ["TERM": "dumb"]) == .pretty(colours: false))
        #expect(LogStyle(.pretty, isTerminal: false, environment: [:]) == .pretty(colours: false))
        #expect(LogStyle(.pretty, isTerminal: false, environment: ["CLICOLOR_FORCE": "1"]) == .pretty(colours: true))
        #expect(LogStyle(.json, isTerminal: true, environment: ["CLICOLOR_FORCE": "1"]) == .json)
    }
}
