import NIOCore
import Testing

@testable import HTTPProxy

@Suite("The line before a busy upstream")
struct ControlledDelayTests {
    private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(1_000_000_000) + .milliseconds(milliseconds) }

    private var delay = ControlledDelay(maximumWait: .milliseconds(250), overloadedWait: .milliseconds(20))

    @Test("a burst may wait for as long as the line has not been there for longer")
    mutating func burst() {
        delay.observe(isEmpty: false, now: at(0))
        #expect(delay.patience(now: at(0)) == .milliseconds(250))
        #expect(delay.patience(now: at(249)) == .milliseconds(250))
        #expect(delay.deadline(for: at(0), now: at(0)) == at(250))
    }

    @Test("in a line that has not been empty for that long nobody waits any more")
    mutating func overload() {
        delay.observe(isEmpty: false, now: at(0))
        delay.observe(isEmpty: false, now: at(200))
        #expect(delay.patience(now: at(250)) == .milliseconds(20))
        // Who came late in the burst goes when the overload is known, not after the patience of a burst.
        #expect(delay.deadline(for: at(200), now: at(200)) == at(250))
        #expect(delay.deadline(for: at(240), now: at(240)) == at(260))
        #expect(delay.deadline(for: at(1000), now: at(1000)) == at(1020))
    }

    @Test("those who were refused together and come back together are no new burst")
    mutating func returning() {
        delay.observe(isEmpty: false, now: at(0))
        delay.observe(isEmpty: true, now: at(300))
        delay.observe(isEmpty: false, now: at(400))
        #expect(delay.patience(now: at(400)) == .milliseconds(20))
        #expect(delay.deadline(for: at(400), now: at(400)) == at(420))
        delay.observe(isEmpty: true, now: at(420))
        #expect(delay.patience(now: at(669)) == .milliseconds(20))
    }

    @Test("once nobody has had to wait for a while, the next burst may wait again")
    mutating func recovery() {
        delay.observe(isEmpty: false, now: at(0))
        delay.observe(isEmpty: true, now: at(300))
        delay.observe(isEmpty: true, now: at(500))
        delay.observe(isEmpty: false, now: at(551))
        #expect(delay.patience(now: at(551)) == .milliseconds(250))
        #expect(delay.deadline(for: at(551), now: at(551)) == at(801))
    }
}
