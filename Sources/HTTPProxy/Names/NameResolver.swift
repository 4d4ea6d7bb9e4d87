import Dispatch

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Finds the addresses of a host name: the system's way, or another one.
public struct NameResolver: Sendable {
    /// Calls back once, on any thread: with IP addresses, the best one to use first.
    public var lookUp: @Sendable (_ name: String, _ answer: @escaping @Sendable (Result<[String], NameResolverError>) -> Void) -> Void

    public init(
        lookUp: @escaping @Sendable (_ name: String, _ answer: @escaping @Sendable (Result<[String], NameResolverError>) -> Void) -> Void
    ) {
        self.lookUp = lookUp
    }

    /// Whatever the system is set up to ask: files, DNS, others. The addresses come in the order of RFC 6724.
    ///
    /// `getaddrinfo` holds its thread for as long as it takes, half a minute when no server answers, so it has threads of its own.
    public static let system = NameResolver { name, answer in
        threads.async { answer(Result { () throws(NameResolverError) in try systemAddresses(of: name) }) }
    }

    private static let threads = DispatchQueue(label: "name lookups", attributes: .concurrent)

    private static func systemAddresses(of name: String) throws(NameResolverError) -> [String] {
        var hints = addrinfo()
        // One of each address, not one more for datagrams.
        hints.ai_protocol = Int32(IPPROTO_TCP)
        var first: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &first)
        guard code == 0 else { throw NameResolverError(String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(first) }
        return sequence(first: first, next: { $0?.pointee.ai_next }).compactMap { $0.flatMap(numeric) }
    }

    /// Nil for what is neither IPv4 nor IPv6, and for addresses that mean something on one link only.
    private static func numeric(_ info: UnsafeMutablePointer<addrinfo>) -> String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = getnameinfo(
            info.pointee.ai_addr, info.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        guard code == 0 else { return nil }
        let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return address.contains("%") ? nil : address
    }
}

/// Why a name has no addresses, as a sentence for an operator.
public struct NameResolverError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
