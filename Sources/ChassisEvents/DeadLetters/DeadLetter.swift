import Chassis
import Commerce

/// Something that has failed for the last time and waits for a person: an event that could not be applied, or a job that could not be done.
struct DeadLetter: Sendable {
    /// How a person names it: `event-12`, `job-34`.
    enum ID: Sendable, Hashable, CustomStringConvertible {
        case event(Int64)
        case job(Int64)

        init?(_ text: String) {
            let parts = text.split(separator: "-", maxSplits: 1)
            guard parts.count == 2, let number = Identifier<DeadLetter>(parts[1])?.rawValue else { return nil }
            switch parts[0] {
            case "event": self = .event(number)
            case "job": self = .job(number)
            default: return nil
            }
        }

        var description: String {
            switch self {
            case .event(let number): "event-\(number)"
            case .job(let number): "job-\(number)"
            }
        }

        var kind: String {
            switch self {
            case .event: "event"
            case .job: "job"
            }
        }
    }

    let id: ID
    /// The event's type, or the job's kind.
    let type: String
    /// The event's subject, or the job's key.
    let subject: String?
    let error: String
    let attempts: Int
    /// When it died.
    let since: Timestamp
    /// The event's data or the job itself, as JSON text. Only where one is shown: it may hold personal data.
    let payload: String?
}

extension DeadLetter: Encodable {
    private enum CodingKeys: String, CodingKey {
        case id, kind, type, subject, error, attempts, since, payload
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id.description, forKey: .id)
        try container.encode(id.kind, forKey: .kind)
        try container.encode(type, forKey: .type)
        try container.encodeIfPresent(subject, forKey: .subject)
        try container.encode(error, forKey: .error)
        try container.encode(attempts, forKey: .attempts)
        try container.encode(since, forKey: .since)
        if let payload {
            // What killed an event may be that its data is no JSON: then it is shown as the text it is.
            let value = (try? JSONValue.parse(payload)) ?? .string(payload)
            try container.encode(value, forKey: .payload)
        }
    }
}
