import Foundation

/// Where a request comes from, as far as that can be trusted: the group of addresses that failed logins are counted by.
///
/// The gateway replaces whatever `X-Forwarded-For` a client sent by what it saw itself, so the header's last address is the client's. It
/// counts only from a peer on this machine or in a private network, where the gateway is; a peer from outside is its own address,
/// whatever it writes. IPv6 is grouped by /64, which is what one customer of a provider gets.
struct ClientAddress: Sendable, Hashable {
    /// `192.0.2.7`, or `2001:db8:0:1/64` in a normal form.
    let group: String

    /// Nil when nothing is known of the peer.
    init?(forwardedFor: String?, peer: String?) {
        guard let peer = peer.flatMap(Self.bytes) else { return nil }
        let last = forwardedFor?.split(separator: ",").last.map { $0.trimmingCharacters(in: .whitespaces) }
        let forwarded = Self.isPrivate(peer) ? last.flatMap(Self.bytes) : nil
        group = Self.group(of: forwarded ?? peer)
    }

    /// 4 or 16 bytes in network order; an IPv4 address written as IPv6 (`::ffff:192.0.2.7`) is 4.
    private static func bytes(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: &four) { Array($0) } }
        var sixteen = in6_addr()
        guard inet_pton(AF_INET6, text, &sixteen) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: &sixteen) { Array($0) }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        return bytes.starts(with: mapped) ? Array(bytes.suffix(4)) : bytes
    }

    /// Loopback, link-local and the private ranges of RFC 1918, RFC 6598 and RFC 4193.
    private static func isPrivate(_ bytes: [UInt8]) -> Bool {
        if bytes.count == 4 {
            switch (bytes[0], bytes[1]) {
            case (127, _), (10, _), (192, 168), (169, 254), (172, 16...31), (100, 64...127): return true
            default: return false
            }
        }
        let isLoopback = bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
        return isLoopback || bytes[0] & 0xFE == 0xFC || (bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80)
    }

    private static func group(of bytes: [UInt8]) -> String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        let words = stride(from: 0, to: 8, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
        return words.joined(separator: ":") + "/64"
    }
}
