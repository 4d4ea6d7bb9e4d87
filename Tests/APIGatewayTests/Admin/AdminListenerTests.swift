import Chassis
import HTTPProxy
import HTTPTypes
import Testing

@testable import APIGateway

@Suite("Where the admin listener listens, and whom it answers")
struct AdminListenerTests {
    private static func read(_ arguments: String...) throws -> AdminListener {
        let reader = SettingsReader.fromProcess(arguments: ["api-gateway"] + arguments, environment: [:])
        let settings = APIGateway.Settings(reader)
        try reader.finish()
        return settings.admin
    }

    @Test("it is on this machine only unless somebody says otherwise")
    func loopback() throws {
        #expect(try Self.read() == AdminListener())
        #expect(AdminListener().host == "127.0.0.1" && !AdminListener().allowsRemote)
        for host in ["127.0.0.1", "127.3.2.1", "localhost", "::1"] { #expect(try Self.read("--admin-host", host).host == host) }
        for host in ["0.0.0.0", "::", "10.0.0.1", "192.168.0.1", "shop.example", "127.0.0.1.example"] {
            let error = try #require(throws: SettingsError.self) { try Self.read("--admin-host", host) }
            #expect(error.description.contains("ADMIN_HOST (--admin-host) must be a loopback address such as 127.0.0.1, not “\(host)”"))
            #expect(error.description.contains("ADMIN_ALLOW_REMOTE=on"))
            let listener = try Self.read("--admin-host", host, "--admin-allow-remote", "on", "--admin-port", "9901")
            #expect(listener.host == host && listener.port == 9901 && listener.allowsRemote)
        }
    }

    @Test("this process reaches it wherever it listens")
    func endpoint() {
        for (host, reached) in [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.1", "10.0.0.1")] {
            var listener = AdminListener()
            listener.host = host
            #expect(listener.endpoint(port: 7) == Endpoint(host: reached, port: 7))
        }
    }

    @Test(
        "one that other machines may reach is asked by address, and never by a name that somebody could own",
        arguments: [
            ("10.0.0.1", true), ("10.0.0.1:9901", true), ("[fd00::1]:9901", true), ("localhost:9901", true), ("gateway.internal", false),
            ("evil.example:9901", false), ("10.0.0.0/8", false), ("10.0.0.1:port", false), ("[fd00::1", false), ("[fd00::1]x", false),
            ("user@10.0.0.1", false), ("", false),
        ])
    func remote(authority: String, isAnswered: Bool) {
        let request = HTTPRequest(method: .get, scheme: "http", authority: authority, path: "/admin/status")
        #expect((AdminAccess(allowsRemote: true).refusal(of: request) == nil) == isAnswered)
        let isLocal = authority.hasPrefix("localhost")
        #expect((AdminAccess(allowsRemote: false).refusal(of: request) == nil) == isLocal)
    }

    @Test("a request that names no host is refused")
    func noHost() {
        let request = HTTPRequest(method: .get, scheme: "http", authority: nil, path: "/admin/status")
        for allowsRemote in [true, false] { #expect(AdminAccess(allowsRemote: allowsRemote).refusal(of: request)?.status == .forbidden) }
    }
}
