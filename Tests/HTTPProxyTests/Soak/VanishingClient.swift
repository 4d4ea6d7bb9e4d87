import NIOCore

/// A client of HTTP/1.1 that waits for its answer, or vanishes at one of the moments at which one can.
enum VanishingClient: CaseIterable, Sendable {
    case waits, keepsItsConnection, vanishesAtOnce, vanishesInTheHead, vanishesInTheBody, vanishesBehindTheRequest,
        vanishesInTheResponse

    /// - Parameters:
    ///   - cut: at which byte to vanish, modulo what there is.
    ///   - answers: gets the status of an answer that was waited for.
    func ask(for fault: Fault, port: Int, cut: Int, answers: Collector<Int>) async throws {
        let path = fault.rawValue
        let get = "GET /\(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        let post = "POST /\(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + String(repeating: "x", count: 1000)
        let connection = try await RawClient.connect(port: port)
        do {
            switch self {
            case .waits:
                try await connection.send(fault == .early ? String(post.dropLast()) : get)
                Self.note(try await connection.receiveToEnd(), in: answers)
            case .keepsItsConnection:
                try await connection.send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n" + get)
                Self.note(try await connection.receiveToEnd(), in: answers)
            case .vanishesAtOnce: break
            case .vanishesInTheHead: try await connection.send(String(get.utf8.prefix(1 + cut % (get.utf8.count - 1))) ?? "")
            case .vanishesInTheBody: try await connection.send(String(post.dropLast(1 + cut % 999)))
            case .vanishesBehindTheRequest: try await connection.send(cut.isMultiple(of: 2) ? get : post)
            case .vanishesInTheResponse:
                try await connection.send(get)
                try await connection.receive { !$0.isEmpty }
            }
        } catch is ChannelError {
            // The proxy was first to end the connection.
        } catch is IOError {
            // The same, seen by a write that was under way.
        }
        try await connection.channel.vanish(byReset: cut.isMultiple(of: 3))
    }

    private static func note(_ text: String, in answers: Collector<Int>) {
        if let status = Int(text.dropFirst(9).prefix(3)) { answers.append(status) }
    }
}

extension Channel {
    /// Closes, if it is not closed yet.
    func vanish(byReset: Bool) async throws {
        do {
            if byReset { try await resetWhenClosed().get() }
            try await close()
        } catch is ChannelError {
            // It is closed already.
        } catch is IOError {
            // The same.
        }
    }
}
