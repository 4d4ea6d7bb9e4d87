import Chassis
import ChassisStorage
import Commerce
import Contracts
import Testing

@testable import UserService

@Suite("An account")
struct RegistrationTests {
    @Test("is a customer's at first, unverified, and everybody hears of it once")
    func registered() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        #expect(user.role == .customer && !user.isEmailVerified && user.choices == .standard)
        #expect(try await fixture.eventTypes() == [UserRegistered.eventType])
        #expect(try await fixture.accounts.show(user.id, to: user.identity) == user)
    }

    @Test("is made once of 50 registrations of one email at the same moment, however it is spelled")
    func race() async throws {
        let fixture = try await Fixture()
        let outcomes = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<50 {
                group.addTask {
                    do {
                        try await fixture.register(number.isMultiple(of: 2) ? "ada@example.org" : "ADA@Example.ORG")
                        return true
                    } catch UserError.alreadyExists {
                        return false
                    } catch {
                        Issue.record(error)
                        return false
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 }.count == 1)
        #expect(try await fixture.accounts.list(matching: nil, after: nil, limit: 200).elements.count == 1)
        #expect(try await fixture.eventTypes().count == 1)
    }

    @Test("may have the longest name there is, in characters of many code points")
    func longestName() async throws {
        let fixture = try await Fixture()
        let name = String(repeating: "👨‍👩‍👧‍👦", count: 14)
        #expect(try await fixture.register(name: name).name.text == name)
    }

    @Test("that exists already costs no hash")
    func takenIsCheap() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let before = fixture.derivation.count
        await #expect(throws: UserError.alreadyExists) { try await fixture.register("Ada@example.org") }
        #expect(fixture.derivation.count == before)
    }

    @Test("does not exist for anybody but its owner and administrators")
    func ownership() async throws {
        let fixture = try await Fixture()
        let (ada, bob) = (try await fixture.register(), try await fixture.register("bob@example.org"))
        await #expect(throws: UserError.notFound) { try await fixture.accounts.show(ada.id, to: bob.identity) }
        #expect(try await fixture.accounts.show(ada.id, to: UserIdentity(id: bob.id, role: .admin)) == ada)
    }

    @Test("says the whole profile when it changes, and nothing when nothing is different")
    func changed() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        let change = ProfileChange(name: PersonName("Countess"), phone: .set(PhoneNumber("+4912345678")!), sms: true)
        let changed = try await fixture.accounts.change(user.id, change)
        #expect(changed.name.text == "Countess" && changed.choices.sms)
        #expect(try await fixture.accounts.change(user.id, change) == changed)
        #expect(try await fixture.accounts.show(user.id, to: user.identity) == changed)
        #expect(try await fixture.eventTypes() == [UserRegistered.eventType, UserUpdated.eventType])
    }

    @Test("leaves a row without anything personal when it is erased; its email can be registered again")
    func erased() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        _ = try await fixture.accounts.change(user.id, ProfileChange(phone: .set(PhoneNumber("+4912345678")!)))
        let session = try await fixture.logIn()
        try await fixture.accounts.erase(user.id)

        let left = try await fixture.database.read { transaction in
            try transaction.first(
                "SELECT name || email || email_key || password || search_text || coalesce(phone, '') AS all_text FROM users"
            ) {
                try $0["all_text"] as String
            }
        }
        #expect(left == "erased:\(user.id)")
        await #expect(throws: UserError.notFound) { try await fixture.accounts.show(user.id, to: user.identity) }
        await #expect(throws: UserError.notFound) { try await fixture.accounts.erase(user.id) }
        await #expect(throws: UserError.invalidCredentials) { try await fixture.logIn() }
        await #expect(throws: UserError.invalidRefreshToken) { try await fixture.refresh(session.refreshToken) }
        #expect(try await fixture.eventTypes().last == UserErased.eventType)

        let again = try await fixture.register()
        #expect(again.id != user.id)
        _ = try await fixture.logIn()
    }

    @Test("is found by a part of its name or email, whatever the case, and % means nothing special")
    func search() async throws {
        let fixture = try await Fixture()
        try await fixture.register("ada@example.org", name: "Ada Lovelace")
        try await fixture.register("bob@example.org", name: "Bob Ö")
        try await fixture.register("100%@example.org", name: "Percent_Person!")
        func names(_ search: String?) async throws -> [String] {
            try await fixture.accounts.list(matching: search, after: nil, limit: 50).elements.map(\.name.text)
        }
        #expect(try await names(nil).count == 3)
        #expect(try await names("LOVE") == ["Ada Lovelace"])
        #expect(try await names("ö") == ["Bob Ö"])
        #expect(try await names("BOB@") == ["Bob Ö"])
        #expect(try await names("%") == ["Percent_Person!"])
        #expect(try await names("_") == ["Percent_Person!"])
        #expect(try await names("!") == ["Percent_Person!"])
        #expect(try await names("' OR 1=1 --").isEmpty)
    }

    @Test("is listed once, page after page")
    func pages() async throws {
        let fixture = try await Fixture()
        for number in 0..<7 { try await fixture.register("user\(number)@example.org") }
        var (seen, last): ([UserID], UserID?) = ([], nil)
        repeat {
            let page = try await fixture.accounts.list(matching: "user", after: last, limit: 3)
            seen += page.elements.map(\.id)
            last = page.nextCursor.flatMap { UserID($0) }
        } while last != nil
        #expect(seen.count == 7 && seen == seen.sorted() && Set(seen).count == 7)
    }
}

@Suite("The first administrator")
struct FirstAdministratorTests {
    private func ensure(_ fixture: Fixture, _ email: String = "admin@souk.local", password: String?) async throws -> [String] {
        let lines = Lines()
        let first = FirstAdministrator(
            store: fixture.store, hasher: fixture.hasher, time: fixture.clock.source, randomness: .system, announce: { lines.add($0) })
        try await first.ensure(email: EmailAddress(email)!, password: password)
        return lines.all
    }

    @Test("gets a random password, which is told once and works")
    func random() async throws {
        let fixture = try await Fixture()
        let lines = try await ensure(fixture, password: nil)
        let password = try #require(lines.first?.split(separator: " ").first { $0.count == 43 })
        let session = try await fixture.logIn("admin@souk.local", password: String(password))
        #expect(session.user.isAdministrator)
        #expect(try await ensure(fixture, password: nil).isEmpty)
        #expect(lines.count == 1)
    }

    @Test("gets the password of the settings, of which nothing is told")
    func configured() async throws {
        let fixture = try await Fixture()
        #expect(try await ensure(fixture, "root@example.org", password: "a long password").isEmpty)
        #expect(try await fixture.logIn("root@example.org", password: "a long password").user.isAdministrator)
    }

    @Test("is not made anew, nor given another password, while there is one")
    func once() async throws {
        let fixture = try await Fixture()
        _ = try await ensure(fixture, "root@example.org", password: "a long password")
        _ = try await ensure(fixture, "other@example.org", password: "another password")
        await #expect(throws: UserError.invalidCredentials) { try await fixture.logIn("other@example.org", password: "another password") }
    }

    @Test("can be a customer whom the operator names; old sessions end")
    func promoted() async throws {
        let fixture = try await Fixture()
        try await fixture.register("ada@example.org")
        let old = try await fixture.logIn()
        _ = try await ensure(fixture, "ada@example.org", password: "a long password")
        #expect(try await fixture.logIn(password: "a long password").user.isAdministrator)
        await #expect(throws: UserError.invalidCredentials) { try await fixture.logIn() }
        await #expect(throws: UserError.invalidRefreshToken) { try await fixture.refresh(old.refreshToken) }
    }
}
