// Consistent hashing with bounded load.
//
// Each endpoint gets a number from its own name and the request's key; the highest number wins (rendezvous hashing: Thaler and
// Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998). When an endpoint goes, only its own keys find another one, and
// they spread over all others; when it comes back it gets just these again. There is no ring to build and nothing to keep: with the few
// endpoints that a cluster has, a number for each costs less than a search in a ring.
//
// A key that everybody asks for would drown its endpoint. So none takes more than 1.25 times its even share of the requests under way
// (Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2018); the next in the ranking does then.
//
// The numbers are the same in every process, so several gateways send a key to the same endpoint.

enum HashRanking {
    static let loadFactor = 1.25

    /// Of `candidates` the highest ranked for `key` that has room.
    ///
    /// - Parameters:
    ///   - seeds: of all endpoints, by index.
    ///   - loads: requests under way, by index.
    static func choose(from candidates: some Collection<Int>, key: UInt64, seeds: [UInt64], load: (Int) -> Int) -> Int? {
        let total = candidates.reduce(0) { $0 + load($1) }
        // The request itself counts, so that there is room for it somewhere.
        let room = Int((Double(total + 1) * loadFactor / Double(candidates.count)).rounded(.up))
        return candidates.filter { load($0) < room }.max { number(key, seeds[$0]) < number(key, seeds[$1]) }
    }

    private static func number(_ key: UInt64, _ seed: UInt64) -> UInt64 { mixed(key ^ seed) }

    /// The hash of a text: FNV-1a, and then mixed, as its high bits alone are weak.
    static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        mixed(bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    }

    /// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every bit of the input reaches every bit of the output.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
