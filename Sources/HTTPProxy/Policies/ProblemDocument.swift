import NIOCore
public import NIOHTTP1

/// A problem document (RFC 9457) as the proxy's own answers carry it, with the extra member `error`: the sentence a person reads.
public struct ProblemDocument: Sendable {
    public var status: HTTPResponseStatus
    /// The last part of the problem's URN, in kebab case: stable, for programs.
    public var name: String
    public var title: String
    /// What happened, as a sentence for a person.
    public var sentence: String
    public var headers: HTTPHeaders
    /// The names of the quotas that were exceeded, for the member `violated-policies` (draft-ietf-httpapi-ratelimit-headers-10).
    public var violatedPolicies: [String] = []

    public init(status: HTTPResponseStatus, name: String, title: String? = nil, sentence: String, headers: HTTPHeaders = [:]) {
        self.status = status
        self.name = name
        self.title = title ?? status.reasonPhrase
        self.sentence = sentence
        self.headers = headers
    }

    init(_ failure: ProxyFailure) {
        self.init(status: HTTPResponseStatus(statusCode: failure.status), name: failure.name, sentence: failure.sentence)
        if failure.isTemporary { headers.add(name: "retry-after", value: "1") }
        if failure == .methodRefused { headers.add(name: "allow", value: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS") }
    }

    /// The document as a response.
    /// - Parameters:
    ///   - typePrefix: what stands before the name in `type`, such as `urn:souk:problem:`.
    ///   - instance: the path of the request the problem is about.
    public func response(typePrefix: String, instance: String) -> LocalResponse {
        var json = ByteBuffer()
        json.writeString("{\"type\":")
        json.writeJSON(typePrefix + name)
        json.writeString(",\"title\":")
        json.writeJSON(title)
        json.writeString(",\"status\":\(status.code),\"detail\":")
        json.writeJSON(sentence)
        json.writeString(",\"instance\":")
        json.writeJSON(instance)
        json.writeString(",\"error\":")
        json.writeJSON(sentence)
        if !violatedPolicies.isEmpty { json.writeList("violated-policies", violatedPolicies) }
        json.writeString("}")
        var headers = headers
        headers.replaceOrAdd(name: "content-type", value: "application/problem+json")
        return LocalResponse(status: status, headers: headers, body: json)
    }
}

extension ByteBuffer {
    /// Writes a member that is a list of texts, behind others.
    fileprivate mutating func writeList(_ name: String, _ texts: [String]) {
        writeString(",\"\(name)\":[")
        for (index, text) in texts.enumerated() {
            if index > 0 { writeString(",") }
            writeJSON(text)
        }
        writeString("]")
    }

    /// Writes `text` as a JSON string (RFC 8259 section 7).
    fileprivate mutating func writeJSON(_ text: String) {
        writeInteger(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": writeString("\\\"")
            case "\\": writeString("\\\\")
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                writeString("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: writeString(String(scalar))
            }
        }
        writeInteger(UInt8(ascii: "\""))
    }
}
