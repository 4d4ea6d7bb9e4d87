import Chassis
import Commerce

// The CloudEvents JSON batch format, written and read around the raw `data`.
//
// The text in `data` was encoded once, when the event was appended. From there to the handler nobody decodes it: the
// writer copies the text into the batch, the reader cuts it out again. A general JSON decoder would build every value and every number
// of it twice on the way, and could change them.

/// Why a text is no batch of CloudEvents.
struct MalformedBatch: Error, CustomStringConvertible {
    let description: String
}

enum CloudEventBatch {
    /// `sequence` is a string because JSON numbers are not safe beyond 2^53, and of 19 digits because the extension's values compare as text.
    private static let sequenceDigits = 19

    static func encode(_ events: some Collection<CloudEvent>) -> [UInt8] {
        var text = JSONWriter(capacity: events.reduce(2) { $0 + $1.data.utf8.count + 400 })
        text.append(raw: "[")
        var isFirst = true
        for event in events {
            if !isFirst { text.append(raw: ",") }
            isFirst = false
            append(event, to: &text)
        }
        text.append(raw: "]")
        return text.bytes
    }

    private static func append(_ event: CloudEvent, to text: inout JSONWriter) {
        text.append(raw: "{\"specversion\":\"1.0\",\"id\":")
        text.append(string: event.id)
        text.append(raw: ",\"source\":")
        text.append(string: event.source)
        text.append(raw: ",\"type\":")
        text.append(string: event.type)
        if let subject = event.subject {
            text.append(raw: ",\"subject\":")
            text.append(string: subject)
        }
        text.append(raw: ",\"time\":\"")
        text.append(raw: event.time.description)
        text.append(raw: "\",\"sequence\":\"")
        let digits = String(event.sequence)
        text.append(raw: String(repeating: "0", count: max(0, sequenceDigits - digits.utf8.count)) + digits)
        text.append(raw: "\",")
        if let traceparent = event.traceparent {
            text.append(raw: "\"traceparent\":")
            text.append(string: traceparent)
            text.append(raw: ",")
        }
        text.append(raw: "\"datacontenttype\":\"application/json\",\"data\":")
        text.append(raw: event.data)
        text.append(raw: "}")
    }

    /// - Throws: ``MalformedBatch`` with the place of the first mistake. Members that nobody knows are ignored, as the specification asks.
    static func decode(_ bytes: [UInt8]) throws(MalformedBatch) -> [CloudEvent] {
        let document: JSONDocument
        do {
            document = try JSONDocument(parsing: bytes)
        } catch {
            throw MalformedBatch(description: "the batch is \(error)")
        }
        var events: [CloudEvent] = []
        let isArray = try document.root.forEachElement { (element) throws(MalformedBatch) in events.append(try event(element)) }
        guard isArray else { throw MalformedBatch(description: "the batch is no array") }
        return events
    }

    private static func event(_ value: JSONDocument.Value) throws(MalformedBatch) -> CloudEvent {
        guard try required("specversion", value) == CloudEvent.specificationVersion else {
            throw MalformedBatch(description: "an event is not of CloudEvents 1.0")
        }
        guard let time = Timestamp(rfc3339: try required("time", value)) else {
            throw MalformedBatch(description: "an event's time is not RFC 3339")
        }
        guard let sequence = Int64(try required("sequence", value)), sequence > 0 else {
            throw MalformedBatch(description: "an event's sequence is not a positive number")
        }
        guard let data = value.member("data") else { throw MalformedBatch(description: "an event has no data") }
        return CloudEvent(
            id: try required("id", value), source: try required("source", value), type: try required("type", value),
            subject: value.member("subject")?.string(), time: time, sequence: sequence,
            traceparent: value.member("traceparent")?.string(), data: data.rawText())
    }

    private static func required(_ name: String, _ event: JSONDocument.Value) throws(MalformedBatch) -> String {
        guard let text = event.member(name)?.string(), !text.isEmpty else { throw MalformedBatch(description: "an event has no \(name)") }
        return text
    }
}
