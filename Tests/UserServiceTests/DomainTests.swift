import Chassis
import Commerce
import Contracts
import Crypto
import Testing

@testable import UserService

@Suite("What people tell of themselves")
struct DomainTests {
    @Test(
        "is a phone number in the form of E.164 only",
        arguments: [
            ("+4912345678", true), ("+1234567", true), ("+123456789012345", true), ("+1234567890123456", false), ("+123456", false),
            ("4912345678", false), ("+0123456789", false), ("+49 123 4567", false), ("+49123456a", false), ("", false), ("+", false),
        ])
    func phone(_ text: String, _ isValid: Bool) {
        #expect((PhoneNumber(text) != nil) == isValid)
    }

    @Test(
        "is a name without surrounding spaces and without control characters",
        arguments: [
            ("Ada", "Ada"), ("  Ada Lovelace ", "Ada Lovelace"), ("李小龍", "李小龍"), ("", nil), ("   ", nil), ("Ada\nBcc: x", nil),
            ("Ada\u{0}", nil), ("Ada\n", nil),
        ] as [(String, String?)])
    func name(_ text: String, _ expected: String?) {
        #expect(PersonName(text)?.text == expected)
    }

    @Test("has at most 100 code points of name")
    func nameLength() {
        #expect(PersonName(String(repeating: "x", count: 100)) != nil)
        #expect(PersonName(String(repeating: "x", count: 101)) == nil)
        // One character each to a reader, 7 code points to JSON Schema.
        #expect(PersonName(String(repeating: "👨‍👩‍👧‍👦", count: 14)) != nil)
        #expect(PersonName(String(repeating: "👨‍👩‍👧‍👦", count: 15)) == nil)
    }

    private var user: User {
        User(
            id: UserID(rawValue: 1)!, name: PersonName("Ada")!, email: EmailAddress("ada@example.org")!, isEmailVerified: false,
            role: .customer,
            phone: PhoneNumber("+4912345678"), choices: NotificationChoices(email: true, sms: true),
            createdAt: Timestamp(millisecondsSinceEpoch: 0))
    }

    @Test("changes only where a change says so")
    func nothing() throws {
        #expect(try ProfileChange().applied(to: user) == user)
    }

    @Test("loses SMS with the phone number")
    func phoneRemoved() throws {
        let changed = try ProfileChange(phone: .remove).applied(to: user)
        #expect(changed.phone == nil)
        #expect(changed.choices == NotificationChoices(email: true, sms: false))
    }

    @Test("cannot ask for SMS without a number")
    func smsNeedsPhone() {
        #expect(throws: UserError.phoneRequired) { try ProfileChange(phone: .remove, sms: true).applied(to: user) }
    }

    @Test("gives an opaque token of 256 bits that prints as nothing")
    func token() {
        let token = OpaqueToken(.system)
        #expect(token.text.count == 43)
        #expect(token.hash.count == 32)
        #expect(token.hash == OpaqueToken(presented: token.text).hash)
        #expect("\(token)" == "[redacted]")
    }
}

@Suite("A client's address")
struct ClientAddressTests {
    @Test(
        "is what the gateway wrote last, from a peer near by",
        arguments: ["127.0.0.1", "10.0.0.9", "172.20.1.1", "192.168.3.4", "::1", "fd00::1"])
    func gateway(_ peer: String) {
        #expect(ClientAddress(forwardedFor: "203.0.113.9", peer: peer)?.group == "203.0.113.9")
        #expect(ClientAddress(forwardedFor: "6.6.6.6, 203.0.113.9", peer: peer)?.group == "203.0.113.9")
    }

    @Test("is the peer itself, whatever it claims, when it is from outside")
    func outside() {
        #expect(ClientAddress(forwardedFor: "6.6.6.6", peer: "203.0.113.9")?.group == "203.0.113.9")
        #expect(ClientAddress(forwardedFor: "6.6.6.6", peer: "172.32.0.1")?.group == "172.32.0.1")
    }

    @Test("is the peer when the header is missing or nonsense")
    func nonsense() {
        #expect(ClientAddress(forwardedFor: nil, peer: "127.0.0.1")?.group == "127.0.0.1")
        #expect(ClientAddress(forwardedFor: "unknown", peer: "127.0.0.1")?.group == "127.0.0.1")
        #expect(ClientAddress(forwardedFor: "", peer: "127.0.0.1")?.group == "127.0.0.1")
        #expect(ClientAddress(forwardedFor: "203.0.113.9", peer: nil) == nil)
    }

    @Test("is a /64 in IPv6, and IPv4 however it is written")
    func groups() {
        let one = ClientAddress(forwardedFor: nil, peer: "2001:db8:1:2:3:4:5:6")
        #expect(one == ClientAddress(forwardedFor: nil, peer: "2001:0db8:0001:0002::1"))
        #expect(one != ClientAddress(forwardedFor: nil, peer: "2001:db8:1:3::1"))
        #expect(ClientAddress(forwardedFor: nil, peer: "::ffff:203.0.113.9")?.group == "203.0.113.9")
    }
}

@Suite("Signing keys")
struct KeyScheduleTests {
    private let schedule = KeySchedule(rotation: .seconds(86_400), tokenLifetime: .seconds(900), lead: .seconds(600), grace: .seconds(60))
    private let start = Timestamp(millisecondsSinceEpoch: 1_800_000_000_000)

    private func key(_ id: Int64, createdAfter created: Duration, activeAfter active: Duration) -> SigningKey {
        SigningKey(id: id, privateKey: P256.Signing.PrivateKey(), createdAt: start + created, activeFrom: start + active)
    }

    @Test("begin with one that signs at once")
    func first() {
        #expect(schedule.activationOfNextKey(after: [], at: start) == start)
    }

    @Test("are followed by the next after the rotation, which is shown before it signs")
    func next() {
        let keys = [key(1, createdAfter: .zero, activeAfter: .zero)]
        #expect(schedule.activationOfNextKey(after: keys, at: start + .seconds(86_399)) == nil)
        let due = start + .seconds(86_400)
        #expect(schedule.activationOfNextKey(after: keys, at: due) == due + .seconds(600))
        let both = keys + [key(2, createdAfter: .seconds(86_400), activeAfter: .seconds(87_000))]
        #expect(schedule.activationOfNextKey(after: both, at: due + .seconds(1)) == nil)
        #expect(schedule.signing(both, at: start + .seconds(86_999))?.id == 1)
        #expect(schedule.signing(both, at: start + .seconds(87_000))?.id == 2)
    }

    @Test("stay published until the last token they can have signed has expired")
    func withdrawal() {
        let keys = [key(1, createdAfter: .zero, activeAfter: .zero), key(2, createdAfter: .seconds(86_400), activeAfter: .seconds(87_000))]
        #expect(schedule.withdrawn(keys, at: start + .seconds(87_000 + 900)).isEmpty)
        #expect(schedule.withdrawn(keys, at: start + .seconds(87_000 + 961)).map(\.id) == [1])
    }

    @Test("leave none without a key when the clock is set back")
    func clockSetBack() {
        let keys = [key(1, createdAfter: .zero, activeAfter: .zero)]
        #expect(schedule.signing(keys, at: start - .seconds(3600))?.id == 1)
    }
}
