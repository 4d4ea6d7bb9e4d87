import Testing

@testable import HTTPProxy

@Suite("Consistent hashing with bounded load")
struct HashRankingTests {
    private static let seeds = (1...10).map { HashRanking.hash("10.0.0.\($0):80".utf8) }
    private static let keys = (0..<10_000).map { HashRanking.hash("user-\($0)".utf8) }

    private static func choose(_ key: UInt64, of candidates: [Int], loads: [Int: Int] = [:]) -> Int? {
        HashRanking.choose(from: candidates, key: key, seeds: seeds) { loads[$0] ?? 0 }
    }

    @Test("keys spread evenly, and each always goes the same way")
    func even() {
        let all = Array(0..<10)
        var counts = [Int](repeating: 0, count: 10)
        for key in Self.keys {
            guard let chosen = Self.choose(key, of: all) else { continue }
            counts[chosen] += 1
            #expect(Self.choose(key, of: all.reversed()) == chosen)
        }
        // 10,000 keys over 10: the standard deviation is 30.
        #expect(counts.allSatisfy { (850...1150).contains($0) }, "\(counts)")
    }

    @Test("when an endpoint goes, only its own keys find another, spread over all others")
    func removal() {
        let all = Array(0..<10)
        let rest = all.filter { $0 != 3 }
        var newHomes = [Int](repeating: 0, count: 10)
        for key in Self.keys {
            let before = Self.choose(key, of: all)
            let after = Self.choose(key, of: rest)
            if before == 3, let after { newHomes[after] += 1 } else { #expect(before == after) }
        }
        #expect(newHomes[3] == 0)
        #expect(rest.allSatisfy { newHomes[$0] > 50 }, "\(newHomes)")
    }

    @Test("a key that everybody asks for goes on to the next when its endpoint has more than 1.25 times its share")
    func bounded() throws {
        let all = Array(0..<4)
        let key = Self.keys[0]
        var loads: [Int: Int] = [:]
        for _ in 0..<1000 { loads[try #require(Self.choose(key, of: all, loads: loads)), default: 0] += 1 }
        let most = try #require(loads.values.max())
        // 1.25 · 1000 / 4, rounded up.
        #expect(most == 313, "\(loads)")
        #expect(loads.values.reduce(0, +) == 1000)
    }

    @Test("several processes agree: the numbers are these")
    func stable() {
        #expect(HashRanking.hash("user-1".utf8) == HashRanking.hash("user-1".utf8))
        #expect(HashRanking.hash([]) == 0xF52A_15E9_A9B5_E89B)
    }
}
