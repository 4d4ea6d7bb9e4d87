import NIOCore

// Which responses are compressed.
//
// Only where all agree: the route, the client (RFC 9110 section 12.5.3), the length, the type, and the response itself, which may say that it is
// compressed already, that nobody may change it, or what its bytes are. A strong entity tag says just that, and the client will give it back in
// `If-Match`, where a weak one never matches; so a response with a strong tag goes as it is, and tags are passed on untouched.
//
// Whoever can make a client ask with its credentials, and put text of his own into the answer, learns from the length of what is compressed how near
// his text comes to a secret beside it (BREACH). That takes credentials that a browser adds by itself; so responses to requests with cookies or
// with passwords of HTTP's own are not compressed, nor are those that set a cookie. Bearer tokens are not added by themselves.

/// Whether a route's responses are compressed for clients that take gzip.
public struct Compression: Hashable, Sendable {
    /// Shorter bodies are left as they are, if their length is known.
    public var minimumBytes = 1024
    /// From 1, fast, to 9, small.
    public var level = 5

    public init() {}

    /// What is to be done with a response.
    enum Decision: Hashable {
        /// It goes as it is, for every client.
        case none
        /// It goes as it is to this client; others would get it compressed, which caches must know.
        case varies
        case gzip
    }

    func decide(_ request: RequestHead, _ response: ResponseHead) -> Decision {
        if let length = response.length(isHead: request.isHead), length < max(minimumBytes, 1) { return .none }
        guard response.status >= 200, ![204, 205, 206, 304].contains(response.status), response.mayBeCompressed,
            !request.hasAmbientCredentials
        else { return .none }
        return AcceptEncoding(request).takesGzip ? .gzip : .varies
    }
}

extension ResponseHead {
    /// The body's length, or for HEAD that of what a GET would bring; nil when it is not known beforehand.
    fileprivate func length(isHead: Bool) -> Int? {
        switch framing {
        case .length(let length): return length
        case .chunked, .untilClose: return nil
        case .none where isHead:
            return bytes.withUnsafeReadableBytes { raw in
                fields.first { $0.known == .contentLength }.flatMap { FramingFields.decimal(raw[part: $0.value]) }
            }
        case .none: return 0
        }
    }

    /// Whether type and fields allow it.
    fileprivate var mayBeCompressed: Bool {
        bytes.withUnsafeReadableBytes { raw in
            var isCompressible = false
            for field in fields {
                let (name, value) = (raw[part: field.name], raw[part: field.value])
                switch name.count {
                case 4 where name.spells("etag"): if !value.hasPrefix("w/") { return false }
                case 10 where name.spells("set-cookie"): return false
                case 11 where name.spells("content-md5"): return false
                case 12 where name.spells("content-type"): isCompressible = Self.isCompressible(value)
                case 13 where name.spells("cache-control"): if value.listContains({ $0.spells("no-transform") }) { return false }
                case 13 where name.spells("content-range"): return false
                case 14 where name.spells("content-digest"): return false
                case 16 where name.spells("content-encoding"): return false
                default: break
                }
            }
            return isCompressible
        }
    }

    private static func isCompressible(_ type: UnsafeRawBufferPointer) -> Bool {
        var range = ByteRange(start: 0, end: type.firstIndex(of: .semicolon) ?? type.count)
        range.trim(in: type)
        let name = type[part: range]
        // Events are read one by one; text that is packed arrives in blocks.
        if name.hasPrefix("text/") { return !name.spells("text/event-stream") }
        if name.hasSuffix("+json") || name.hasSuffix("+xml") { return true }
        return known.contains { name.spells($0) }
    }

    private static let known: [StaticString] = [
        "application/json", "application/javascript", "application/xml", "application/x-ndjson", "application/wasm",
        "font/ttf", "font/otf",
    ]
}

extension RequestHead {
    /// Whether it has credentials that a browser adds to what any page asks.
    fileprivate var hasAmbientCredentials: Bool {
        bytes.withUnsafeReadableBytes { raw in
            fields.contains { field in
                let name = raw[part: field.name]
                if name.spells("cookie") { return true }
                return name.spells("authorization") && !raw[part: field.value].hasPrefix("bearer ")
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func hasSuffix(_ lowercase: StaticString) -> Bool {
        let length = lowercase.utf8CodeUnitCount
        return count > length && UnsafeRawBufferPointer(rebasing: self[(count - length)...]).spells(lowercase)
    }
}
