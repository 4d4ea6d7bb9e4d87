import Chassis
import Testing

@testable import UserService

@Suite("The login throttle")
struct LoginThrottleTests {
    private let clock = ManualClock()
    private let account = LoginThrottle.Limit(slowFrom: 2, refuseFrom: 5, forgivenEvery: .seconds(60))
    private let address = LoginThrottle.Limit(slowFrom: 50, refuseFrom: 8, forgivenEvery: .seconds(10))

    private func throttle(capacity: Int = 1000) -> LoginThrottle {
        LoginThrottle(account: account, address: address, capacity: capacity, time: clock.source)
    }

    private func attempt(_ account: String, from address: String? = nil) -> LoginThrottle.Attempt {
        .init(account: account, address: address.flatMap { ClientAddress(forwardedFor: nil, peer: $0) })
    }

    @Test("lets the first failures in, slows the next, then refuses")
    func stages() {
        let throttle = throttle()
        let verdicts = (0..<6).map { _ in throttle.admit(attempt("ada")) }
        #expect(
            verdicts == [
                .admitted(delay: .zero), .admitted(delay: .zero), .admitted(delay: .milliseconds(250)),
                .admitted(delay: .milliseconds(500)),
                .admitted(delay: .seconds(1)), .refused(retryAfter: .seconds(60)),
            ])
    }

    @Test("lets in who comes back after the time it told, and refuses the one after")
    func retryAfter() {
        let throttle = throttle()
        for _ in 0..<5 { _ = throttle.admit(attempt("ada")) }
        clock.advance(by: .seconds(59))
        #expect(throttle.admit(attempt("ada")) == .refused(retryAfter: .seconds(1)))
        clock.advance(by: .seconds(1))
        #expect(throttle.admit(attempt("ada")) == .admitted(delay: .seconds(1)))
        #expect(throttle.admit(attempt("ada")) == .refused(retryAfter: .seconds(60)))
    }

    @Test("does not count refused attempts")
    func refusedIsFree() {
        let throttle = throttle()
        for _ in 0..<100 { _ = throttle.admit(attempt("ada")) }
        #expect(throttle.admit(attempt("ada")) == .refused(retryAfter: .seconds(60)))
    }

    @Test("forgets an account's failures at a success, of the address only the one attempt")
    func success() {
        let throttle = throttle()
        for _ in 0..<4 { _ = throttle.admit(attempt("ada", from: "192.0.2.1")) }
        throttle.succeeded(attempt("ada", from: "192.0.2.1"))
        #expect(throttle.admit(attempt("ada")) == .admitted(delay: .zero))
        // 3 of the address's 8 are left; each of these is another account.
        let verdicts = (0..<6).map { throttle.admit(attempt("user\($0)", from: "192.0.2.1")) }
        #expect(verdicts.prefix(5).allSatisfy { $0 == .admitted(delay: .zero) })
        #expect(verdicts.last == .refused(retryAfter: .seconds(10)))
    }

    @Test("holds up an address that tries many accounts, and no other address")
    func addresses() {
        let throttle = throttle()
        for number in 0..<8 { _ = throttle.admit(attempt("user\(number)", from: "192.0.2.1")) }
        #expect(throttle.admit(attempt("another", from: "192.0.2.1")) == .refused(retryAfter: .seconds(10)))
        #expect(throttle.admit(attempt("another", from: "192.0.2.2")) == .admitted(delay: .zero))
    }

    @Test("takes back an attempt that came to no judgement")
    func withdrawn() {
        let throttle = throttle()
        for _ in 0..<20 {
            #expect(throttle.admit(attempt("ada", from: "192.0.2.1")) == .admitted(delay: .zero))
            throttle.withdraw(attempt("ada", from: "192.0.2.1"))
        }
    }

    @Test("remembers no more than its bound, and forgets first what would be forgiven first")
    func bounded() {
        let throttle = throttle(capacity: 100)
        for _ in 0..<5 { _ = throttle.admit(attempt("victim")) }
        for number in 0..<10_000 {
            _ = throttle.admit(attempt("made up \(number)"))
            #expect(throttle.count <= 100)
        }
        #expect(throttle.admit(attempt("victim")) == .refused(retryAfter: .seconds(60)))
        clock.advance(by: .seconds(3600))
        for number in 0..<100 { _ = throttle.admit(attempt("later \(number)")) }
        #expect(throttle.count <= 100)
    }
}
