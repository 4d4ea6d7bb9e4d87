import Chassis
import HTTPProxy
import HTTPTypes

// A browser on this machine reaches loopback addresses, too, for any page that it shows. What a page of another origin may not do is read the
// answers, as long as nothing here says that it may (CORS). To get around that, a page of evil.example has its own name suddenly resolve to
// 127.0.0.1 (DNS rebinding); then it is of the same origin and may read everything. But the browser still sends the name that it believes to
// ask: so only requests for a name that is always this machine are answered. Browsers of today also say where a request comes from
// (Sec-Fetch-Site); one that comes from another site has no business here, even if nobody could read the answer.

/// Whether a request of the admin listener is answered.
struct AdminAccess: Sendable {
    /// Then it has addresses of its own, and is asked by them. A name is refused all the same: an address cannot be rebound.
    let allowsRemote: Bool

    func refusal(of request: HTTPRequest) -> Problem? {
        guard let host = request.authority.flatMap(Self.host), isOwn(host) else {
            let names = allowsRemote ? "an address" : "localhost or a loopback address"
            return Problem(.forbidden, "forbidden", "The admin listener is asked as \(names) only")
        }
        let site = request.headerFields[.fetchSite]
        guard site == nil || site == "none" || site == "same-origin" else {
            return Problem(.forbidden, "forbidden", "The admin listener is not asked by other sites")
        }
        return nil
    }

    private func isOwn(_ host: String) -> Bool {
        AdminListener.isLoopback(host) || (allowsRemote && AddressRange(host) != nil && !host.contains("/"))
    }

    /// What stands before the port, of IPv6 without brackets; nil when it is no authority (RFC 3986, 3.2).
    private static func host(of authority: String) -> String? {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]"), isPort(authority[authority.index(after: end)...]) else { return nil }
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        let end = authority.firstIndex(of: ":") ?? authority.endIndex
        return isPort(authority[end...]) ? String(authority[..<end]) : nil
    }

    /// Nothing, or a colon and digits.
    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.first == ":" && text.dropFirst().allSatisfy { $0.isASCII && $0.isNumber })
    }
}

extension HTTPField.Name {
    static let fetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
