import Chassis
import HTTPProxy
import Testing

@testable import APIGateway

@Suite("Where gateways share their rate limits")
struct RateLimitStoreTests {
    private func settings(_ environment: [String: String]) throws -> APIGateway.Settings {
        let reader = SettingsReader.fromProcess(arguments: [], environment: environment)
        let settings = APIGateway.Settings(reader)
        try reader.finish()
        return settings
    }

    @Test(
        "is told by a URL",
        arguments: [
            ("redis://10.0.0.5", RedisAddress(host: "10.0.0.5")),
            ("redis://redis.example:6380/3", RedisAddress(host: "redis.example", port: 6380, database: 3)),
            ("rediss://:p%40ss%2Fword@redis/", RedisAddress(host: "redis", isSecure: true, password: "p@ss/word")),
            ("REDIS://ann:secret@[::1]:1/0", RedisAddress(host: "::1", port: 1, user: "ann", password: "secret")),
        ])
    func urls(text: String, address: RedisAddress) {
        #expect(RedisAddress(url: text) == address)
    }

    @Test(
        "and by nothing that is none",
        arguments: [
            "", "10.0.0.5", "http://10.0.0.5", "redis://", "redis:///1", "redis://a/one", "redis://a/-1", "redis://a:0", "redis://a:70000",
            "redis://ann@a",
            "redis://a/1/2", "redis://a?x=1", "redis://a#x",
        ])
    func others(text: String) {
        #expect(RedisAddress(url: text) == nil)
    }

    @Test("is nowhere unless it is set; then it needs a secret, and no mistake tells what is secret")
    func rules() throws {
        #expect(try settings([:]).rateLimitStore == nil)
        let url = "redis://:hidden@10.0.0.5"
        let store = try #require(
            try settings([
                "RATE_LIMIT_STORE": url, "RATE_LIMIT_SECRET": "0123456789abcdef", "RATE_LIMIT_INTERVAL_SECONDS": "0.25",
            ]).rateLimitStore)
        #expect(store.server == RedisAddress(host: "10.0.0.5", password: "hidden"))
        #expect(store.secret == "0123456789abcdef" && store.interval == .milliseconds(250))
        let mistakes: [([String: String], String)] = [
            (["RATE_LIMIT_STORE": url], "RATE_LIMIT_SECRET"),
            (["RATE_LIMIT_STORE": url, "RATE_LIMIT_SECRET": "short"], "RATE_LIMIT_SECRET"),
            (["RATE_LIMIT_STORE": "http://:hidden@a", "RATE_LIMIT_SECRET": "0123456789abcdef"], "RATE_LIMIT_STORE"),
            (["RATE_LIMIT_INTERVAL_SECONDS": "2"], "RATE_LIMIT_INTERVAL_SECONDS"),
        ]
        for (environment, name) in mistakes {
            #expect {
                try settings(environment)
            } throws: { error in
                let text = "\(error)"
                return text.contains(name) && !text.contains("hidden") && !text.contains("short") && !text.contains("0123")
            }
        }
    }
}
