import Chassis
import ChassisTesting
import HTTPTypes
import Testing

/// Expects an RFC 9457 problem document, with the sentence for a person if one is given.
func expectProblem(
    _ reply: TestClient.Reply, _ sentence: String? = nil, _ comment: Comment? = nil, at location: SourceLocation = #_sourceLocation
) {
    let said: Comment = "\(comment?.rawValue ?? ""): \(reply.status) \(reply.text)"
    #expect(reply.headers[.contentType] == "application/problem+json", said, sourceLocation: location)
    #expect(reply.json["status"].integer == Int64(reply.status.code), said, sourceLocation: location)
    #expect(reply.json["type"].string?.hasPrefix("urn:souk:problem:") == true, said, sourceLocation: location)
    #expect(reply.json["title"].string?.isEmpty == false, said, sourceLocation: location)
    if let sentence {
        #expect(reply.json["error"].string == sentence, said, sourceLocation: location)
    } else {
        #expect(reply.json["error"].string?.isEmpty == false, said, sourceLocation: location)
    }
}
