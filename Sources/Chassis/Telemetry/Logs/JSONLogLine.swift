import Commerce
import Logging

/// A log line for machines: one JSON object with its members always in the same order and only those that have a value.
enum JSONLogLine {
    /// Nobody reads further, and a single line must not fill a disk.
    static let messageLimitBytes = 16_384
    static let valueLimitBytes = 4_096
    private static let depthLimit = 6

    static func bytes(_ record: LogRecord) -> [UInt8] {
        var json = JSONText(capacity: 512)
        json.object { json in
            json.key("time")
            json.plain { CivilTime(record.time).appendRFC3339(to: &$0) }
            json.member("level", record.level.rawValue)
            json.member("service", record.service)
            json.member("logger", record.logger)
            json.key("message")
            json.string(record.message, limit: messageLimitBytes)
            json.member("request_id", record.requestID)
            json.member("trace_id", record.traceID)
            json.member("span_id", record.spanID)
            if let error = record.error {
                json.key("error")
                json.object { json in
                    json.member("type", error.type)
                    json.key("message")
                    json.string(error.message, limit: messageLimitBytes)
                }
            }
            guard !record.metadata.isEmpty else { return }
            json.key("metadata")
            json.object { json in
                for (key, value) in record.metadata {
                    json.key(key)
                    append(value, to: &json, depth: 1)
                }
            }
        }
        json.newline()
        return json.bytes
    }

    private static func append(_ value: Logger.MetadataValue, to json: inout JSONText, depth: Int) {
        switch value {
        case .string(let text):
            json.string(text, limit: valueLimitBytes)
        case .stringConvertible(let number as any BinaryInteger):
            // Numbers stay numbers, so that a log store can compare them.
            if let number = Int64(exactly: number) { json.integer(number) } else { json.string(String(describing: number)) }
        case .stringConvertible(let number as Double):
            json.number(number)
        case .stringConvertible(let flag as Bool):
            json.bool(flag)
        case .stringConvertible(let other):
            json.string(other.description, limit: valueLimitBytes)
        case .array where depth >= depthLimit, .dictionary where depth >= depthLimit:
            json.string("…")
        case .array(let elements):
            json.array { json in
                for element in elements { append(element, to: &json, depth: depth + 1) }
            }
        case .dictionary(let members):
            json.object { json in
                for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                    json.key(key)
                    append(value, to: &json, depth: depth + 1)
                }
            }
        }
    }
}

extension JSONText {
    fileprivate mutating func member(_ name: String, _ text: String?) {
        guard let text else { return }
        key(name)
        string(text, limit: JSONLogLine.valueLimitBytes)
    }
}
