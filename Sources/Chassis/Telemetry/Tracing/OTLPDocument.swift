import Tracing

/// Spans as the OpenTelemetry protocol writes them in JSON: `ExportTraceServiceRequest` of opentelemetry-proto 1.x, in its own variant of the Protocol
/// Buffers JSON mapping (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): ids in hexadecimal, 64-bit integers as strings, enums as numbers.
enum OTLPDocument {
    /// OpenTelemetry's default limit of attributes, here for each span, event and link.
    private static let attributeLimit = 128
    private static let scope = "souk.chassis"

    static func bytes(_ spans: [FinishedSpan], resource: OTLPResource) -> [UInt8] {
        var json = JSONText(capacity: 512 + spans.count * 512)
        json.object { json in
            json.list("resourceSpans") { json in
                json.object { json in
                    json.key("resource")
                    json.object { append(resource, to: &$0) }
                    json.list("scopeSpans") { json in
                        json.object { json in
                            json.key("scope")
                            json.object { $0.member("name", scope) }
                            json.list("spans") { json in
                                for span in spans { append(span, to: &json) }
                            }
                        }
                    }
                }
            }
        }
        return json.bytes
    }

    private static func append(_ resource: OTLPResource, to json: inout JSONText) {
        let attributes = [
            ("service.name", resource.service), ("service.version", resource.version), ("service.instance.id", resource.instance),
            ("telemetry.sdk.language", "swift"),
        ]
        json.list("attributes") { json in
            for (name, value) in attributes { append(name, .string(value), to: &json) }
        }
    }

    private static func append(_ span: FinishedSpan, to json: inout JSONText) {
        json.object { json in
            json.member("traceId", span.context.traceID.description)
            json.member("spanId", span.context.spanID.description)
            if let parent = span.parentSpanID { json.member("parentSpanId", parent.description) }
            let state = span.context.state.headerValue
            if !state.isEmpty { json.member("traceState", state) }
            json.member("name", span.name)
            json.key("kind")
            json.integer(kind(span.kind))
            json.member("startTimeUnixNano", String(span.startNanosecondsSinceEpoch))
            json.member("endTimeUnixNano", String(span.endNanosecondsSinceEpoch))
            append(span.attributes, to: &json)
            if !span.events.isEmpty {
                json.list("events") { json in
                    for event in span.events { append(event, to: &json) }
                }
            }
            if !span.links.isEmpty {
                json.list("links") { json in
                    for link in span.links { append(link, to: &json) }
                }
            }
            if let status = span.status { append(status, to: &json) }
        }
    }

    private static func kind(_ kind: SpanKind) -> Int64 {
        switch kind {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }

    private static func append(_ status: SpanStatus, to json: inout JSONText) {
        json.key("status")
        json.object { json in
            if let message = status.message { json.member("message", message) }
            json.key("code")
            json.integer(status.code == .ok ? 1 : 2)
        }
    }

    private static func append(_ event: SpanEvent, to json: inout JSONText) {
        json.object { json in
            json.member("timeUnixNano", String(event.nanosecondsSinceEpoch))
            json.member("name", event.name)
            append(event.attributes, to: &json)
        }
    }

    /// A link to a context without a trace, which another tracer made, cannot be written and is left out.
    private static func append(_ link: SpanLink, to json: inout JSONText) {
        guard let trace = link.context.traceContext else { return }
        json.object { json in
            json.member("traceId", trace.traceID.description)
            json.member("spanId", trace.spanID.description)
            append(link.attributes, to: &json)
        }
    }

    // MARK: Attributes

    /// Sorted by name. Beyond the limit the rest is counted, as the protocol has a member for it.
    private static func append(_ attributes: SpanAttributes, to json: inout JSONText) {
        guard !attributes.isEmpty else { return }
        var all: [(name: String, value: SpanAttribute)] = []
        attributes.forEach { all.append(($0, $1)) }
        all.sort { $0.name < $1.name }
        json.list("attributes") { json in
            for (name, value) in all.prefix(attributeLimit) { append(name, value, to: &json) }
        }
        if all.count > attributeLimit {
            json.key("droppedAttributesCount")
            json.integer(Int64(all.count - attributeLimit))
        }
    }

    private static func append(_ name: String, _ value: SpanAttribute, to json: inout JSONText) {
        json.object { json in
            json.member("key", name)
            json.key("value")
            append(Redaction.isSensitive(name) ? .string(Redaction.placeholder) : value, to: &json)
        }
    }

    private static func append(_ value: SpanAttribute, to json: inout JSONText) {
        json.object { json in
            switch value {
            case .string(let text): json.member("stringValue", text)
            case .stringConvertible(let value): json.member("stringValue", value.description)
            case .int32(let number): json.member("intValue", String(number))
            case .int64(let number): json.member("intValue", String(number))
            case .double(let number):
                json.key("doubleValue")
                json.number(number)
            case .bool(let flag):
                json.key("boolValue")
                json.bool(flag)
            case .stringArray(let elements): append(elements.map { .string($0) }, to: &json)
            case .stringConvertibleArray(let elements): append(elements.map { .stringConvertible($0) }, to: &json)
            case .int32Array(let elements): append(elements.map { .int32($0) }, to: &json)
            case .int64Array(let elements): append(elements.map { .int64($0) }, to: &json)
            case .doubleArray(let elements): append(elements.map { .double($0) }, to: &json)
            case .boolArray(let elements): append(elements.map { .bool($0) }, to: &json)
            // The enum's authors ask for a default; a kind of value that comes later is written as its text.
            default: json.member("stringValue", String(describing: value))
            }
        }
    }

    private static func append(_ elements: [SpanAttribute], to json: inout JSONText) {
        json.key("arrayValue")
        json.object { json in
            json.list("values") { json in
                for element in elements { append(element, to: &json) }
            }
        }
    }
}

extension JSONText {
    fileprivate mutating func member(_ name: String, _ text: String) {
        key(name)
        string(text, limit: 4_096)
    }

    fileprivate mutating func list(_ name: String, _ elements: (inout JSONText) -> Void) {
        key(name)
        array(elements)
    }
}
