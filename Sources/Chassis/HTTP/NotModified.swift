import HTTPTypes
public import Hummingbird

extension Response {
    /// What a 304 repeats of the headers of a 200 (RFC 9110, section 15.4.5).
    private static let repeatedFields: [HTTPField.Name] = [.eTag, .cacheControl, .vary]

    /// 304 without a body when the request says that it has this very representation (`If-None-Match`).
    public func unlessKnown(to request: Request) -> Response {
        guard let known = request.headers[.ifNoneMatch], let tag = headers[.eTag]?.withoutWeakness else { return self }
        // Weak comparison (RFC 9110, section 13.1.2): the prefix, which also a proxy may have added, does not count.
        let matches = known.split(separator: ",").contains { candidate in
            let text = candidate.drop(while: \.isWhitespace)
            return text == "*" || text.withoutWeakness == tag
        }
        guard matches else { return self }
        let repeated = headers.filter { Self.repeatedFields.contains($0.name) }
        return Response(status: .notModified, headers: HTTPFields(repeated))
    }
}

extension StringProtocol where SubSequence == Substring {
    /// An entity tag as it would be if it were strong.
    fileprivate var withoutWeakness: Substring { hasPrefix("W/") ? dropFirst(2) : self[...] }
}
