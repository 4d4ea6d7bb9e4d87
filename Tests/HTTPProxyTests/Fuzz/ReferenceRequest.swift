/// One request, read a second time by other means: slowly, from the whole input, sentence by sentence after RFC 9112 and RFC 3986, and sharing no code with
/// the proxy. What the proxy accepts beyond this, or ends elsewhere, is a bug of one of the two.
struct ReferenceRequest: Equatable {
    var method = ""
    var framing = Framing.none
    var body: [UInt8] = []
    /// Bytes from the start of the head to the end of the body.
    var length = 0

    enum Framing: Equatable { case none, length(Int), chunked }

    private static let tokenSigns = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    private static let unreserved = Set("-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    private static let pathSigns = unreserved.union("!$&'()*+,;=:@/".utf8)
    private static let digits = Set("0123456789".utf8)
    private static let hexDigits = Set("0123456789abcdefABCDEF".utf8)

    /// The request that `input` begins with; nil when there is none, or not all of it.
    init?(_ input: [UInt8], maximumBytes: Int, maximumFields: Int) {
        guard let (lines, headLength) = Self.lines(input[...]), headLength <= maximumBytes, let first = lines.first else { return nil }
        guard let fields = Self.fields(lines.dropFirst()), fields.count <= maximumFields else { return nil }
        let words = first.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count == 3, (1...32).contains(words[0].count), words[0].allSatisfy(Self.tokenSigns.contains) else { return nil }
        method = String(decoding: words[0], as: UTF8.self)
        guard !["connect", "trace"].contains(method.lowercased()) else { return nil }
        let version = String(decoding: words[2], as: UTF8.self)
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else { return nil }
        let hosts = fields.filter { $0.name == "host" }.map(\.value)
        guard hosts.count == 1 || (hosts.isEmpty && version == "HTTP/1.0"), hosts.allSatisfy(Self.isHost) else { return nil }
        guard Self.isTarget(Array(words[1]), host: hosts.first) else { return nil }
        let expectations = fields.filter { $0.name == "expect" }.map { $0.value.lowercased() }
        guard version == "HTTP/1.0" || expectations.isEmpty || expectations == ["100-continue"] else { return nil }
        guard let framing = Self.framing(fields, isOld: version == "HTTP/1.0") else { return nil }
        self.framing = framing
        guard readBody(input[headLength...]) else { return nil }
    }

    /// The lines up to the empty one, each ended by CRLF and without another CR or LF in it, and how long all that is.
    private static func lines(_ input: ArraySlice<UInt8>) -> (lines: [[UInt8]], length: Int)? {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var index = input.startIndex
        while index < input.endIndex {
            if input[index] == 0x0D {
                guard index + 1 < input.endIndex, input[index + 1] == 0x0A else { return nil }
                index += 2
                // The request line may not be empty, and where there is none the first line may be the end.
                if line.isEmpty { return (lines, index - input.startIndex) }
                lines.append(line)
                line = []
            } else {
                guard input[index] != 0x0A else { return nil }
                line.append(input[index])
                index += 1
            }
        }
        return nil
    }

    private static func fields(_ lines: ArraySlice<[UInt8]>) -> [(name: String, value: String)]? {
        var fields: [(name: String, value: String)] = []
        for line in lines {
            guard let colon = line.firstIndex(of: 0x3A), colon > 0, line[..<colon].allSatisfy(tokenSigns.contains) else { return nil }
            var value = line[(colon + 1)...]
            guard value.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else { return nil }
            while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
            while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
            fields.append((String(decoding: line[..<colon], as: UTF8.self).lowercased(), String(decoding: value, as: UTF8.self)))
        }
        return fields
    }

    private static func framing(_ fields: [(name: String, value: String)], isOld: Bool) -> Framing? {
        let lengths = fields.filter { $0.name == "content-length" }.map(\.value)
        let codings = fields.filter { $0.name == "transfer-encoding" }.map { Array($0.value.utf8) }
        guard lengths.count + codings.count <= 1 else { return nil }
        // By its bytes: Unicode has other letters whose small form is an ASCII one.
        if let coding = codings.first {
            return !isOld && coding.count == 7 && zip(coding, "chunked".utf8).allSatisfy { $0 == $1 || $0 == $1 - 0x20 } ? .chunked : nil
        }
        guard let length = lengths.first else { return Framing.none }
        guard (1...18).contains(length.utf8.count), length.utf8.allSatisfy(digits.contains), length == "0" || !length.hasPrefix("0") else {
            return nil
        }
        return Int(length).map { .length($0) }
    }

    /// Host and port: `uri-host [ ":" port ]`, the host an IP literal or a name of unreserved characters.
    private static func isHost(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count <= 300 else { return false }
        var rest = bytes[...]
        if rest.first == 0x5B {
            guard let end = rest.firstIndex(of: 0x5D), end > 2 else { return false }
            guard rest[1..<end].allSatisfy({ hexDigits.contains($0) || $0 == 0x3A || $0 == 0x2E }) else { return false }
            rest = rest[(end + 1)...]
        } else {
            let name = rest.prefix { $0 != 0x3A }
            guard !name.isEmpty, name.allSatisfy(unreserved.contains) else { return false }
            rest = rest[name.endIndex...]
        }
        return rest.isEmpty || (rest.first == 0x3A && rest.count <= 6 && rest.dropFirst().allSatisfy(digits.contains))
    }

    private static func isTarget(_ target: [UInt8], host: String?) -> Bool {
        guard target.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x23 }) else { return false }
        var path = target.prefix { $0 != 0x3F }
        if path.first != 0x2F {
            let text = String(decoding: path, as: UTF8.self)
            guard let scheme = ["http://", "https://"].first(where: { text.lowercased().hasPrefix($0) }) else { return false }
            path = path.dropFirst(scheme.utf8.count)
            let authority = path.prefix { $0 != 0x2F }
            guard !authority.isEmpty else { return false }
            if let host, String(decoding: authority, as: UTF8.self).lowercased() != host.lowercased() { return false }
            path = path[authority.endIndex...]
        }
        return isPath(Array(path))
    }

    /// Absolute, of allowed characters, without a dot segment or an encoded separator or control byte.
    private static func isPath(_ path: [UInt8]) -> Bool {
        guard path.first == 0x2F else { return false }
        var plain: [UInt8] = []
        var index = 0
        while index < path.count {
            if path[index] == 0x25 {
                guard index + 2 < path.count, hexDigits.contains(path[index + 1]), hexDigits.contains(path[index + 2]),
                    let byte = UInt8(String(decoding: path[(index + 1)...(index + 2)], as: UTF8.self), radix: 16),
                    byte >= 0x20, byte != 0x7F, byte != 0x2F, byte != 0x5C
                else { return false }
                // Another byte than an unreserved one stays encoded, and is no dot and no semicolon.
                plain.append(unreserved.contains(byte) ? byte : 0x25)
                index += 3
            } else {
                guard pathSigns.contains(path[index]) else { return false }
                plain.append(path[index])
                index += 1
            }
        }
        return plain.split(separator: 0x2F).allSatisfy { segment in
            let name = Array(segment.prefix { $0 != 0x3B })
            return name != [0x2E] && name != [0x2E, 0x2E]
        }
    }

    /// False when the body is not all there, or not as its framing says.
    private mutating func readBody(_ input: ArraySlice<UInt8>) -> Bool {
        switch framing {
        case .none:
            length = input.startIndex
        case .length(let count):
            guard input.count >= count else { return false }
            body = Array(input.prefix(count))
            length = input.startIndex + count
        case .chunked:
            return readChunks(input)
        }
        return true
    }

    private mutating func readChunks(_ input: ArraySlice<UInt8>) -> Bool {
        var rest = input
        while true {
            let size = rest.prefix { Self.hexDigits.contains($0) }
            rest = rest[size.endIndex...]
            guard (1...15).contains(size.count), rest.starts(with: [0x0D, 0x0A]),
                let count = Int(String(decoding: size, as: UTF8.self), radix: 16)
            else { return false }
            rest = rest.dropFirst(2)
            if count == 0 { break }
            guard rest.count >= count + 2 else { return false }
            body += rest.prefix(count)
            rest = rest.dropFirst(count)
            guard rest.starts(with: [0x0D, 0x0A]) else { return false }
            rest = rest.dropFirst(2)
        }
        guard let (lines, trailerLength) = Self.lines(rest), trailerLength <= 8 * 1024, lines.count <= 64, Self.fields(lines[...]) != nil
        else {
            return false
        }
        length = rest.startIndex + trailerLength
        return true
    }
}
