import Chassis
import ChassisStorage
import Commerce
import HTTPTypes
import Synchronization
import Testing

@testable import UserService

/// Lines that something told.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}

@Suite("A login")
struct LoginTests {
    @Test("takes the same work for a wrong password and for an account that does not exist")
    func sameWork() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        func cost(of login: () async throws -> Session) async -> [ScryptCost] {
            let before = fixture.derivation.count
            await #expect(throws: UserError.invalidCredentials) { _ = try await login() }
            return Array(fixture.derivation.calls.dropFirst(before))
        }
        let wrong = await cost { try await fixture.logIn(password: "wrong horse") }
        let unknown = await cost { try await fixture.logIn("nobody@example.org") }
        let noAddress = await cost { try await fixture.logIn("not an address") }
        #expect(wrong == [Fixture.cheap] && unknown == wrong && noAddress == wrong)
    }

    @Test("compares emails without case")
    func emailCase() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register("Ada@Example.org")
        #expect(try await fixture.logIn("aDA@eXAMPLE.oRG").user.id == user.id)
    }

    @Test("hashes the password anew when its cost has been raised, once")
    func rehash() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        let raised = try #require(ScryptCost(logN: 5, blockSize: 8, parallelism: 1))
        let sessions = fixture.sessions(cost: raised)
        for expected in [[Fixture.cheap, raised], [raised]] {
            let before = fixture.derivation.count
            _ = try await sessions.logIn(account: "ada@example.org", password: Password("correct horse"), address: nil)
            #expect(Array(fixture.derivation.calls.dropFirst(before)) == expected)
        }
        #expect(try await fixture.store.credentials(of: user.id)?.password.cost == raised)
    }

    @Test("does not begin a session when the password was changed while it was verified")
    func changedMeanwhile() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        let verified = try #require(try await fixture.store.credentials(of: user.id))
        try await fixture.accounts.changePassword(
            of: user.id, from: Password("correct horse"), to: Password("battery staple"), address: nil)
        await #expect(throws: UserError.invalidCredentials) {
            try await fixture.store.beginSession(
                of: verified, rehashed: nil, token: OpaqueToken(.system), at: fixture.clock.now, expires: fixture.clock.now + .seconds(60))
        }
    }

    @Test("is slowed, then refused before the password is looked at, then let in again")
    func throttled() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        for _ in 0..<10 {
            await #expect(throws: UserError.invalidCredentials) { try await fixture.logIn(password: "wrong horse") }
        }
        #expect(fixture.clock.sleeps.count == 7)
        #expect(fixture.clock.sleeps.last == .seconds(4))
        let before = fixture.derivation.count
        await #expect(throws: UserError.tooManyFailures(retryAfter: .seconds(90))) { try await fixture.logIn() }
        #expect(fixture.derivation.count == before)
        fixture.clock.advance(by: .seconds(90))
        _ = try await fixture.logIn()
        await #expect(throws: UserError.invalidCredentials) { try await fixture.logIn(password: "wrong horse") }
    }

    @Test("is held up for an unknown account as for a known one")
    func throttledUnknown() async throws {
        let fixture = try await Fixture()
        for _ in 0..<10 {
            await #expect(throws: UserError.invalidCredentials) { try await fixture.logIn("nobody@example.org") }
        }
        await #expect(throws: UserError.tooManyFailures(retryAfter: .seconds(90))) { try await fixture.logIn("Nobody@example.org") }
    }

    @Test("is held up for an address that tries one account after the other")
    func throttledAddress() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        for number in 0..<50 {
            await #expect(throws: UserError.invalidCredentials) {
                try await fixture.logIn("user\(number)@example.org", from: "203.0.113.9")
            }
        }
        await #expect(throws: UserError.tooManyFailures(retryAfter: .seconds(10))) { try await fixture.logIn(from: "203.0.113.9") }
        _ = try await fixture.logIn(from: "203.0.113.10")
    }

    @Test("lets no more through when they come all at once")
    func concurrentGuesses() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let before = fixture.derivation.count
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask { _ = try? await fixture.logIn(password: "wrong horse") }
            }
        }
        #expect(fixture.derivation.count - before == 10)
    }

    @Test("that finds too many waiting is refused, and does not count as failed")
    func overloaded() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let (gate, queue) = (Gate(), HashingQueue(width: 1, capacity: 0))
        let sessions = fixture.sessions(
            PasswordHasher(
                cost: Fixture.cheap, derivation: fixture.derivation.derivation, queue: queue, time: fixture.clock.source,
                randomness: .system))
        let busy = Task { try await queue.run { gate.work() } }
        var begun = gate.begun.makeAsyncIterator()
        await begun.next()
        for _ in 0..<30 {
            await #expect(throws: UserError.overloaded) {
                try await sessions.logIn(account: "ada@example.org", password: Password("correct horse"), address: nil)
            }
        }
        gate.open()
        try await busy.value
        _ = try await sessions.logIn(account: "ada@example.org", password: Password("correct horse"), address: nil)
        #expect(fixture.clock.sleeps.isEmpty)
        #expect(UserError.overloaded.problem.status == .serviceUnavailable)
        #expect(UserError.overloaded.problem.headers[.retryAfter] == "2")
    }

    @Test("that succeeds never counts, however many")
    func successes() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        for _ in 0..<60 { _ = try await fixture.logIn(from: "203.0.113.9") }
        #expect(fixture.clock.sleeps.isEmpty)
    }
}

@Suite("A refresh token")
struct RefreshTokenTests {
    @Test("gives the next pair, again and again")
    func rotation() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        var session = try await fixture.logIn()
        for _ in 0..<5 {
            let next = try await fixture.refresh(session.refreshToken)
            #expect(next.user == user.identity)
            #expect(next.refreshToken.text != session.refreshToken.text && next.accessToken != session.accessToken)
            session = next
        }
    }

    @Test("that is used twice ends its whole family, and no other")
    func reuse() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let (first, other) = (try await fixture.logIn(), try await fixture.logIn())
        let second = try await fixture.refresh(first.refreshToken)
        let third = try await fixture.refresh(second.refreshToken)
        await #expect(throws: UserError.invalidRefreshToken) { try await fixture.refresh(first.refreshToken) }
        await #expect(throws: UserError.invalidRefreshToken) { try await fixture.refresh(third.refreshToken) }
        _ = try await fixture.refresh(other.refreshToken)
    }

    @Test("that is used by many at once is good for at most one, and its family ends")
    func concurrentReuse() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let session = try await fixture.logIn()
        let successors = await withTaskGroup(of: OpaqueToken?.self) { group in
            for _ in 0..<20 { group.addTask { try? await fixture.refresh(session.refreshToken).refreshToken } }
            return await group.reduce(into: [OpaqueToken]()) { if let token = $1 { $0.append(token) } }
        }
        #expect(successors.count == 1)
        for token in successors {
            await #expect(throws: UserError.invalidRefreshToken) { try await fixture.refresh(token) }
        }
    }

    @Test("is good for 30 days, from each rotation anew")
    func expiry() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let (idle, kept) = (try await fixture.logIn(), try await fixture.logIn())
        fixture.clock.advance(by: .seconds(30 * 86_400 - 1))
        let next = try await fixture.refresh(kept.refreshToken)
        fixture.clock.advance(by: .seconds(1))
        await #expect(throws: UserError.invalidRefreshToken) { try await fixture.refresh(idle.refreshToken) }
        _ = try await fixture.refresh(next.refreshToken)
    }

    @Test("is worth nothing after the logout, and a logout can be repeated")
    func logOut() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let session = try await fixture.logIn()
        let next = try await fixture.refresh(session.refreshToken)
        // Even a used token ends the session it was of.
        try await fixture.sessions.logOut(session.refreshToken)
        try await fixture.sessions.logOut(session.refreshToken)
        try await fixture.sessions.logOut(OpaqueToken(.system))
        await #expect(throws: UserError.invalidRefreshToken) { try await fixture.refresh(next.refreshToken) }
    }

    @Test("is stored as its hash only")
    func hashed() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let session = try await fixture.logIn()
        let stored = try await fixture.database.read { try $0.all("SELECT hash FROM refresh_tokens") { try $0["hash"] as [UInt8] } }
        #expect(stored == [session.refreshToken.hash])
    }

    @Test("is deleted once it has expired; a used one stays until then, so that its reuse is noticed")
    func housekeeping() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        let first = try await fixture.logIn()
        fixture.clock.advance(by: .seconds(20 * 86_400))
        _ = try await fixture.refresh(first.refreshToken)
        #expect(try await deleteExpired(fixture, atMost: 10) == 0)
        #expect(try await rows(fixture, "tokens") == 2)
        fixture.clock.advance(by: .seconds(15 * 86_400))
        #expect(try await deleteExpired(fixture, atMost: 1) == 1)
        #expect(try await rows(fixture, "tokens") == 1)
        fixture.clock.advance(by: .seconds(30 * 86_400))
        #expect(try await deleteExpired(fixture, atMost: 10) == 1)
        #expect(try await rows(fixture, "tokens") == 0)
        #expect(try await rows(fixture, "families") == 0)
    }

    private func deleteExpired(_ fixture: Fixture, atMost limit: Int) async throws -> Int {
        let now = fixture.clock.now
        return try await fixture.database.write { try UserStore.deleteExpiredSessions(before: now, limit: limit, in: $0) }
    }

    private func rows(_ fixture: Fixture, _ table: String) async throws -> Int64? {
        try await fixture.database.read { transaction in
            try transaction.value(table == "tokens" ? "SELECT count(*) FROM refresh_tokens" : "SELECT count(*) FROM token_families")
        }
    }
}

@Suite("An access token")
struct AccessTokenTests {
    private func verifier(_ fixture: Fixture) -> AccessTokenVerifier {
        AccessTokenVerifier(
            issuer: "iss", audience: "aud", keys: KeySource { try await fixture.keys.published() }, time: fixture.clock.source)
    }

    @Test("says who it is for, and is good for 15 minutes")
    func lifetime() async throws {
        let fixture = try await Fixture()
        let user = try await fixture.register()
        let session = try await fixture.logIn()
        #expect(session.expiresIn == .seconds(900))
        #expect(try await verifier(fixture).verify(session.accessToken) == user.identity)
        fixture.clock.advance(by: .seconds(900))
        await #expect(throws: TokenError.expired) { try await verifier(fixture).verify(session.accessToken) }
    }

    @Test("verifies at every moment of a key's change, also for whoever fetched the keys ten minutes ago")
    func rotation() async throws {
        let fixture = try await Fixture()
        try await fixture.register()
        try await fixture.keys.rotate()
        let first = try await fixture.keys.published()
        fixture.clock.advance(by: .seconds(30 * 86_400))
        var published: [JSONWebKeySet] = []
        var signers: Set<String> = []
        for _ in 0..<60 {
            try await fixture.keys.rotate()
            published.append(try await fixture.keys.published())
            let signer = try await fixture.keys.signer()
            signers.insert(signer.publicKey.id)
            let tenMinutesAgo = published[max(0, published.count - 11)]
            #expect(published.count <= 11 || tenMinutesAgo.keys.contains(signer.publicKey))
            #expect(published.last?.keys.contains(signer.publicKey) == true)
            fixture.clock.advance(by: .seconds(60))
        }
        #expect(signers.count == 2)
        #expect(published.first?.keys.count == 2 && published.last?.keys.count == 1)
        #expect(published.last != first)
    }

    @Test("is signed by the same key after a restart")
    func durable() async throws {
        let fixture = try await Fixture()
        let id = try await fixture.keys.signer().publicKey.id
        let restarted = SigningKeyRing(
            store: fixture.store, schedule: KeySchedule(rotation: .seconds(86_400), tokenLifetime: .seconds(900)), issuer: "iss",
            audience: "aud",
            time: fixture.clock.source, randomness: .system)
        try await restarted.rotate()
        #expect(try await restarted.signer().publicKey.id == id)
    }
}
