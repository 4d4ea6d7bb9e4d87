import Foundation

/// One HTTP/1.1 exchange as bytes, for requests that no client library would write.
enum RawExchange {
    struct Failure: Error {
        let what: String
        let code: Int32
    }

    /// Sends `request`, which must ask for `Connection: close`, and returns the whole answer.
    static func send(_ request: Data, port: Int) throws -> String {
        #if canImport(Glibc)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw Failure(what: "socket", code: errno) }
        defer { close(descriptor) }
        try connect(descriptor, port)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        try write(request, to: descriptor)
        return String(decoding: try readToEnd(descriptor), as: UTF8.self)
    }

    /// The status of an answer; nil when it is none.
    static func status(of answer: String) -> Int? {
        let words = answer.prefix { $0 != "\r\n" && $0 != "\n" }.split(separator: " ")
        return words.count > 1 && words[0] == "HTTP/1.1" ? Int(words[1]) : nil
    }

    private static func connect(_ descriptor: Int32, _ port: Int) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(what: "connect", code: errno) }
    }

    private static func write(_ request: Data, to descriptor: Int32) throws {
        var rest = request
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { throw Failure(what: "send", code: errno) }
            rest = rest.dropFirst(count)
        }
    }

    private static func readToEnd(_ descriptor: Int32) throws -> Data {
        var answer = Data()
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            // A server that refuses a request may close with bytes of it unread, which resets the connection after its answer.
            guard count >= 0 || (errno == ECONNRESET && !answer.isEmpty) else { throw Failure(what: "recv", code: errno) }
            guard count > 0 else { return answer }
            answer.append(contentsOf: buffer[..<count])
        }
    }
}
