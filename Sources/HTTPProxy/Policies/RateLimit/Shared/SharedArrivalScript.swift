// What the server does with what it is told, in one step that nobody comes between (EVAL runs alone).
//
// The times of all gateways are the server's: they tell how far something is from now, and are told the same. Redis' numbers are doubles, which hold
// microseconds since 1970 exactly. A key outlives the time that it holds, since the next proxy may be about to tell of something that was taken at the
// same time; `SharedRateLimits` says why that matters. `KEYS[1]` holds the number of the sender's last piece, so that one whose answer was lost, and which
// comes again, is not counted again.

/// The script by which proxies share the theoretical arrival times of their callers.
enum SharedArrivalScript {
    /// For how long a key outlives its time; longer than between two exchanges of a proxy.
    static let slackMilliseconds = 5_000
    private static let numberLifetimeMilliseconds = 600_000

    static let source = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local isNew = tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1])
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        local leads = {}
        for index = 2, #KEYS do
          local arrival = tonumber(redis.call('GET', KEYS[index]) or 0)
          if isNew then
            arrival = math.max(arrival + ARGV[2 * index], now + ARGV[2 * index + 1])
            local lifetime = math.ceil((arrival - now) / 1000) + ARGV[3]
            redis.call('SET', KEYS[index], string.format('%.0f', arrival), 'PX', string.format('%.0f', lifetime))
          end
          leads[index - 1] = math.max(0, arrival - now)
        end
        return leads
        """

    /// One piece of news for the server.
    struct Question: Hashable, Sendable {
        struct Entry: Hashable, Sendable {
            let key: String
            /// What was taken, in nanoseconds.
            let total: Int64
            /// How far ahead of its time the caller is by that alone, in nanoseconds.
            let lead: Int64
        }

        let sender: String
        /// Grows from piece to piece.
        let number: Int
        let entries: [Entry]

        var command: [String] {
            ["EVAL", source, "\(entries.count + 1)", "souk:limits:\(sender)"] + entries.map(\.key)
                + ["\(number)", "\(numberLifetimeMilliseconds)", "\(slackMilliseconds)"]
                + entries.flatMap { ["\(Self.microseconds($0.total))", "\(Self.microseconds($0.lead))"] }
        }

        /// Rounded up.
        private static func microseconds(_ nanoseconds: Int64) -> Int64 {
            nanoseconds / 1_000 + (nanoseconds % 1_000 > 0 ? 1 : 0)
        }
    }

    /// How far ahead of its time each caller is, in nanoseconds.
    static func leads(in answer: RedisValue) throws(RedisError) -> [Int64] {
        guard case .array(let elements?) = answer else { throw .unexpected }
        var leads: [Int64] = []
        for element in elements {
            guard case .integer(let microseconds) = element, (0...Int64.max / 2_000).contains(microseconds) else { throw .unexpected }
            leads.append(microseconds * 1_000)
        }
        return leads
    }
}
