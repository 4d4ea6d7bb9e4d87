import NIOCore
import Testing

@testable import HTTPProxy

@Suite("The script on the server", .timeLimit(.minutes(1)))
struct SharedArrivalScriptTests {
    private typealias Question = SharedArrivalScript.Question

    private static let second: Int64 = 1_000_000_000

    private func entry(_ key: String, _ total: Int64, _ lead: Int64) -> Question.Entry {
        Question.Entry(key: key, total: total * Self.second, lead: lead * Self.second)
    }

    @Test("it answers what the model answers, whatever is told in whatever order, but for the time that the telling takes")
    func model() async throws {
        try await RedisServer.run { server in
            try await RedisConnection.with(server.address, patience: .seconds(5)) { redis in
                var random = SeededRandom(1)
                var model = ModelServer()
                var numbers = ["a": 0, "b": 0]
                let begin = NIODeadline.now()
                for _ in 0..<300 {
                    let sender = Bool.random(using: &random) ? "a" : "b"
                    // Now and then one comes again.
                    if Int.random(in: 0..<4, using: &random) > 0 { numbers[sender, default: 0] += 1 }
                    let entries = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                        let total = Int64.random(in: -50...500, using: &random)
                        return entry(
                            "key-\(Int.random(in: 0..<3, using: &random))", total, max(0, total - Int64.random(in: 0...100, using: &random))
                        )
                    }
                    let question = Question(sender: sender, number: numbers[sender, default: 0] + 1, entries: entries)
                    // The model's time stands still: the server's leads are shorter by as much as has gone by.
                    let expected = model.answer(question, now: 1_000 * Self.second)
                    let leads = try SharedArrivalScript.leads(in: try await redis.ask(question.command))
                    let gone = (NIODeadline.now() - begin).nanoseconds + 1_000
                    try #require(leads.count == expected.count)
                    for (lead, expected) in zip(leads, expected) { #expect(lead <= expected && lead >= expected - gone, "\(question)") }
                }
            }
        }
    }

    @Test("what a key holds outlives its time by some seconds, and is then forgotten; so is who told it")
    func lifetimes() async throws {
        try await RedisServer.run { server in
            try await RedisConnection.with(server.address, patience: .seconds(5)) { redis in
                _ = try await redis.ask(Question(sender: "a", number: 1, entries: [entry("one", 2, 2), entry("two", -1, 0)]).command)
                for (key, milliseconds) in [("one", 7_000), ("two", 5_000), ("souk:limits:a", 600_000)] as [(String, Int64)] {
                    guard case .integer(let left) = try await redis.ask(["PTTL", key]) else { throw RedisError.unexpected }
                    #expect(left > milliseconds - 3_000 && left <= milliseconds + 1, "\(key)")
                }
            }
        }
    }

    @Test("a password and a database are used; without them the server's refusal is told, and neither is in it")
    func signIn() async throws {
        try await RedisServer.run(password: "a secret") { server in
            var address = server.address
            address.database = 3
            try await RedisConnection.with(address, patience: .seconds(5)) { redis in
                let answer = try await redis.ask(["CLIENT", "INFO"])
                guard case .bulk(let info?) = answer else { throw RedisError.unexpected }
                #expect(String(buffer: info).contains(" db=3 "))
            }
            address.password = "wrong"
            await #expect { try await RedisConnection.with(address, patience: .seconds(5)) { _ = try await $0.ask(["PING"]) } } throws: {
                error in
                "\(error)".hasPrefix("it refused: WRONGPASS") && !"\(error)".contains("secret")
            }
            address.password = nil
            await #expect { try await RedisConnection.with(address, patience: .seconds(5)) { _ = try await $0.ask(["PING"]) } } throws: {
                error in
                "\(error)".hasPrefix("it refused: NOAUTH")
            }
        }
    }
}
