import Chassis
import Commerce
import Foundation
import Testing

@testable import ChassisEvents

@Suite("CloudEvents batches")
struct CloudEventBatchTests {
    private func event(_ sequence: Int64, subject: String? = "7", data: String = #"{"a":1}"#) -> CloudEvent {
        CloudEvent(
            id: "id-\(sequence)", source: "order-service", type: "souk.order.placed", subject: subject,
            time: Timestamp(millisecondsSinceEpoch: 1_800_000_000_123), sequence: sequence,
            traceparent: sequence % 2 == 0 ? "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" : nil, data: data)
    }

    @Test("what is written is read back")
    func roundTrip() throws {
        let events = [event(1), event(2, subject: "quote \" backslash \\ newline \n bell \u{7} ü 🛒"), event(.max, subject: nil)]
        #expect(try CloudEventBatch.decode(CloudEventBatch.encode(events)) == events)
        #expect(try CloudEventBatch.decode(CloudEventBatch.encode([])) == [])
    }

    @Test(
        "data passes untouched, byte for byte",
        arguments: [
            #"{"price":1.10,"big":9007199254740993,"nested":[{"x":"}],\""},[[]],{}]}"#, "12345678901234567890", #""just a string""#, "null",
            "[1, 2 ,\n3]", #"{"unicode":"\u0041é"}"#,
        ])
    func rawData(data: String) throws {
        #expect(try CloudEventBatch.decode(CloudEventBatch.encode([event(1, data: data), event(2)])).first?.data == data)
    }

    @Test("the batch is JSON that any CloudEvents consumer reads, with a sequence that compares as text")
    func format() throws {
        let bytes = CloudEventBatch.encode([event(9), event(10)])
        guard case .array(let documents) = try JSONDecoder().decode(JSONValue.self, from: Data(bytes)), documents.count == 2 else {
            Issue.record("the batch is not an array of two")
            return
        }
        guard case .object(let first) = documents[0], case .object(let second) = documents[1] else { return }
        #expect(first["specversion"] == .string("1.0"))
        #expect(first["id"] == .string("id-9"))
        #expect(first["time"] == .string("2027-01-15T08:00:00.123Z"))
        #expect(first["datacontenttype"] == .string("application/json"))
        #expect(first["data"] == .object(["a": .integer(1)]))
        guard case .string(let nine)? = first["sequence"], case .string(let ten)? = second["sequence"] else {
            Issue.record("a sequence is no string")
            return
        }
        #expect(nine < ten)
    }

    @Test("members that nobody knows and any order and white space are accepted")
    func lenient() throws {
        let text = """
             [ { "data" : {"x": [1,2]} , "extra": {"deep":[{}]}, "sequence":"12","time":"2026-11-23T21:34:22Z", "type":"t" ,
                 "source":"order-service","id":"\\u0061b", "specversion":"1.0" } ]
            """
        let events = try CloudEventBatch.decode([UInt8](text.utf8))
        #expect(events.first?.id == "ab")
        #expect(events.first?.sequence == 12)
        #expect(events.first?.data == #"{"x": [1,2]}"#)
    }

    @Test(
        "a text that is no batch is refused, and never trapped on",
        arguments: [
            "", "[", "{}", "null", "[{}]", "[{\"id\":1}]", "[{\"id\":\"", "[{\"id\":\"a\\", "[,]", "[]]", "[] x", "[{\"data\":}]",
            "[{\"data\":]}]",
            #"[{"specversion":"0.3","id":"a","source":"s","type":"t","time":"2026-11-23T21:34:22Z","sequence":"1","data":1}]"#,
            #"[{"specversion":"1.0","id":"a","source":"s","type":"t","time":"yesterday","sequence":"1","data":1}]"#,
            #"[{"specversion":"1.0","id":"a","source":"s","type":"t","time":"2026-11-23T21:34:22Z","sequence":"0","data":1}]"#,
            #"[{"specversion":"1.0","id":"a","source":"s","type":"t","time":"2026-11-23T21:34:22Z","sequence":"1"}]"#,
        ])
    func malformed(text: String) {
        #expect(throws: MalformedBatch.self) { try CloudEventBatch.decode([UInt8](text.utf8)) }
    }

    @Test("every beginning of a batch is refused")
    func truncated() throws {
        let bytes = CloudEventBatch.encode([event(1), event(2, subject: "a\"b")])
        for length in 0..<bytes.count {
            #expect(throws: MalformedBatch.self) { try CloudEventBatch.decode(Array(bytes[..<length])) }
        }
    }

    @Test("a deeply nested document is refused, and costs no stack")
    func deep() throws {
        let data = String(repeating: "[", count: 1_000_000) + String(repeating: "]", count: 1_000_000)
        #expect(throws: MalformedBatch.self) { try CloudEventBatch.decode(CloudEventBatch.encode([event(1, data: data)])) }
    }
}
