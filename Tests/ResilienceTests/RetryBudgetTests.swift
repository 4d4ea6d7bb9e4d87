import Testing

@testable import Resilience

@Suite("The retry budget")
struct RetryBudgetTests {
    private var budget = RetryBudget()

    /// How many retries can begin now.
    private mutating func begunRetries() -> Int {
        var count = 0
        while budget.beginRetry() { count += 1 }
        return count
    }

    @Test(
        "a fifth of the calls in flight may be retries, and three always",
        arguments: [(0, 3), (1, 3), (15, 3), (19, 3), (20, 4), (100, 20), (1004, 200)])
    mutating func limit(calls: Int, retries: Int) {
        for _ in 0..<calls { budget.beginCall() }
        #expect(budget.limit == retries)
        let first = begunRetries()
        #expect(first == retries)
        budget.endRetry()
        let second = begunRetries()
        #expect(second == 1)
    }

    @Test("it shrinks as calls end, without taking from retries under way")
    mutating func shrinking() {
        for _ in 0..<50 { budget.beginCall() }
        let full = begunRetries()
        for _ in 0..<50 { budget.endCall() }
        let none = begunRetries()
        for _ in 0..<8 { budget.endRetry() }
        let one = begunRetries()
        #expect(full == 10 && none == 0 && one == 1)
    }
}
