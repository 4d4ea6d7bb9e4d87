import Testing

@testable import HTTPProxy

@Suite("One fetch for all who want the same")
struct CoalescingTests {
    private final class Member {
        let language: String
        init(_ language: String = "") { self.language = language }
        func variant(_ names: [String]) -> Variant { names.isEmpty ? .only : Variant(names: names, values: Array(language.utf8)) }
    }

    /// An event loop and one key, by reference, so that an expectation may change it.
    private final class Loop {
        let key: ResponseKey
        private var coalescing = Coalescing<Member>()
        var isEmpty: Bool { coalescing.isEmpty }

        init() throws { key = try CacheFixture.key("/a") }

        func arrive(_ member: Member, at other: ResponseKey? = nil, now: Int64 = 0, mayLead: Bool = true) -> Coalescing<Member>.Role {
            coalescing.arrive(member, at: other ?? key, now: now, mayLead: mayLead, member.variant)
        }

        func learn(_ leader: Member, _ names: [String]) -> [Member] {
            coalescing.learn(leader, key, leader.variant(names)) { $0.variant($1) }
        }

        func end(_ leader: Member) -> [Member] { coalescing.end(leader, key) }
        func refuse(_ leader: Member) -> [Member] { coalescing.refuse(leader, key, now: 0) }
        func leave(_ member: Member) -> Member? { coalescing.leave(member, key) }
    }

    private static let second: Int64 = 1_000_000_000
    private let loop: Loop

    init() throws { loop = try Loop() }

    @Test("the first one goes, the others wait, and are told when it is there")
    func ended() {
        let members = (0..<5).map { _ in Member() }
        let roles = members.map { loop.arrive($0) }
        #expect(roles == [.leads, .waits, .waits, .waits, .waits])
        let told = loop.end(members[0])
        #expect(Set(told.map(ObjectIdentifier.init)) == Set(members[1...].map(ObjectIdentifier.init)))
        #expect(loop.isEmpty)
        #expect(loop.arrive(members[3]) == .leads)
    }

    @Test("when it cannot be stored all go, and for ten seconds nobody waits for that key")
    func refused() throws {
        let (leader, waiter) = (Member(), Member())
        #expect(loop.arrive(leader) == .leads)
        #expect(loop.arrive(waiter) == .waits)
        #expect(loop.refuse(leader).count == 1 && loop.isEmpty)
        #expect(loop.arrive(waiter, now: 10 * Self.second - 1) == .goesAlone)
        #expect(loop.arrive(waiter, at: try CacheFixture.key("/b")) == .leads)
        #expect(loop.arrive(leader, now: 10 * Self.second) == .leads)
    }

    @Test("when the leader goes one of those who wait leads, until nobody is left")
    func handedOn() {
        let members = (0..<4).map { _ in Member() }
        for member in members { _ = loop.arrive(member) }
        var (leader, seen) = (members[0], [ObjectIdentifier(members[0])])
        while let next = loop.leave(leader) {
            leader = next
            seen.append(ObjectIdentifier(next))
        }
        #expect(Set(seen).count == 4 && loop.isEmpty)
    }

    @Test("who goes away while it waits is not told and does not lead")
    func left() {
        let (leader, gone, stays) = (Member(), Member(), Member())
        for member in [leader, gone, stays] { _ = loop.arrive(member) }
        let next = loop.leave(gone)
        #expect(next == nil)
        #expect(loop.leave(leader) === stays)
        #expect(loop.end(stays).isEmpty && loop.isEmpty)
    }

    @Test("who would fetch what is of no use to others waits for them, but does not lead")
    func mayNotLead() {
        #expect(loop.arrive(Member(), mayLead: false) == .goesAlone)
        #expect(loop.isEmpty)
        #expect(loop.arrive(Member()) == .leads)
        #expect(loop.arrive(Member(), mayLead: false) == .waits)
    }

    @Test("once it is known on what the response depends, each waits for its own kind only")
    func variants() {
        let (german, german2, french, french2) = (Member("de"), Member("de"), Member("fr"), Member("fr"))
        #expect(loop.arrive(german) == .leads)
        #expect(loop.arrive(german2) == .waits)
        #expect(loop.arrive(french) == .waits)
        let others = loop.learn(german, ["accept-language"])
        #expect(others.count == 1 && others.first === french)
        #expect(loop.arrive(french) == .leads)
        #expect(loop.arrive(french2) == .waits)
        let told = loop.end(german)
        #expect(told.count == 1 && told.first === german2)
        #expect(loop.end(french).first === french2 && loop.isEmpty)
    }

    @Test("of one key only so many are fetched for others as can be kept")
    func manyVariants() {
        for number in 0..<CacheStripe.maximumVariants {
            let member = Member("\(number)")
            #expect(loop.arrive(member) == .leads)
            _ = loop.learn(member, ["a"])
        }
        #expect(loop.arrive(Member("x")) == .goesAlone)
    }

    @Test("the keys that nobody waits for are remembered in a table that never grows")
    func bounded() throws {
        var refusals = RefusedKeys()
        var keys: [ResponseKey] = []
        for number in 0..<5_000 {
            let key = try CacheFixture.key("/\(number)")
            refusals.insert(key, now: 0)
            keys.append(key)
            #expect(refusals.contains(key, now: 1))
        }
        let kept = keys.count { refusals.contains($0, now: 1) }
        #expect(kept <= 1024 && kept > 500)
        #expect(keys.allSatisfy { !refusals.contains($0, now: 10 * Self.second) })
    }
}
