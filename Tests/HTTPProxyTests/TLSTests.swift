import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import HTTPProxy

@Suite("TLS", .timeLimit(.minutes(1)))
struct TLSTests {
    /// A proxy before an upstream, both with certificates of one authority.
    private static func withTLS(
        clientAuthorities: Bool = false, _ body: (TestCertificates, TestUpstream, Int, ProxyServer) async throws -> Void
    ) async throws {
        let certificates = try TestCertificates()
        let upstream = try await TestUpstream.start()
        var configuration = everything(to: upstream.endpoint)
        configuration.tls = ServerTLS(
            certificateFile: certificates.file("server.pem"), privateKeyFile: certificates.file("server.key"),
            clientAuthoritiesFile: clientAuthorities ? certificates.file("authority.pem") : nil)
        try await withProxy(configuration) { proxy, port in try await body(certificates, upstream, port, proxy) }
        try await upstream.stop()
        try certificates.remove()
    }

    @Test("requests over TLS are proxied, and the upstream is told that it was https")
    func served() async throws {
        try await Self.withTLS { certificates, upstream, port, _ in
            let client = try await RawClient.connect(port: port, tls: certificates.client())
            for number in 0..<3 { #expect(try await client.get("/\(number)").body == "GET /\(number) ") }
            #expect(upstream.requests.map { $0.values("x-forwarded-proto") } == [["https"], ["https"], ["https"]])
        }
    }

    @Test("large bodies go both ways, and a client that ends its side first gets its answer")
    func bodies() async throws {
        let large = String(repeating: "x", count: 300_000)
        try await Self.withTLS { certificates, _, port, _ in
            let client = try await RawClient.connect(port: port, tls: certificates.client())
            try await client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(large.utf8.count)\r\n\r\n\(large)")
            #expect(try await client.response().body == "PUT / " + large)
        }
    }

    @Test("who speaks no TLS is cut off, and so is who does not end the handshake")
    func plainText() async throws {
        let certificates = try TestCertificates()
        var configuration = ProxyConfiguration(routes: [])
        configuration.limits.headTimeout = .milliseconds(100)
        configuration.tls = ServerTLS(certificateFile: certificates.file("server.pem"), privateKeyFile: certificates.file("server.key"))
        try await withProxy(configuration) { _, port in
            let plain = try await RawClient.connect(port: port)
            try await plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await !plain.receiveToEnd().contains("HTTP"))
            let silent = try await RawClient.connect(port: port)
            #expect(try await silent.receiveToEnd() == "")
        }
        try certificates.remove()
    }

    @Test("a client that must show a certificate gets nowhere without one")
    func clientCertificate() async throws {
        try await Self.withTLS(clientAuthorities: true) { certificates, upstream, port, _ in
            let known = try await RawClient.connect(port: port, tls: certificates.client(shows: "client"))
            #expect(try await known.get("/").status == 200)
            let unknown = try await RawClient.connect(port: port, tls: certificates.client())
            // The channel may be gone before this can be written.
            try? await unknown.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await unknown.receiveToEnd() == "")
            #expect(upstream.requests.count == 1)
        }
    }

    @Test("a renewed certificate is shown after a reload, and open connections go on")
    func renewed() async throws {
        try await Self.withTLS { certificates, upstream, port, proxy in
            let before = try await RawClient.connect(port: port, tls: certificates.client())
            #expect(try await before.get("/").status == 200)
            try certificates.issue("server", for: "DNS:renewed.test")
            var configuration = everything(to: upstream.endpoint)
            configuration.tls = ServerTLS(certificateFile: certificates.file("server.pem"), privateKeyFile: certificates.file("server.key"))
            try await proxy.reload(configuration)
            #expect(try await before.get("/").status == 200)
            let after = try await RawClient.connect(port: port, tls: certificates.client(expects: "renewed.test"))
            #expect(try await after.get("/").status == 200)
        }
    }

    @Test("files that are missing or do not go together are told, and a reload with them changes nothing")
    func badFiles() async throws {
        try await Self.withTLS { certificates, upstream, port, proxy in
            for (certificate, key, words) in [
                ("nothing.pem", "server.key", "nothing.pem cannot be read as certificates"),
                ("server.pem", "authority.pem", "authority.pem cannot be read as a private key"),
                ("server.pem", "client.key", "does not go with its private key"),
            ] {
                var configuration = everything(to: upstream.endpoint)
                configuration.tls = ServerTLS(certificateFile: certificates.file(certificate), privateKeyFile: certificates.file(key))
                let error = await #expect(throws: ProxyConfigurationError.self) { try await proxy.reload(configuration) }
                #expect(error?.description.contains(words) ?? false, "\(String(describing: error))")
            }
            let client = try await RawClient.connect(port: port, tls: certificates.client())
            #expect(try await client.get("/").status == 200)
        }
    }

    // MARK: Upstreams

    /// What a proxy answers whose upstream speaks TLS.
    private static func answer(
        of upstream: TestUpstream, _ certificates: TestCertificates, _ change: (inout UpstreamTLS) -> Void = { _ in }
    ) async throws -> Int {
        var tls = UpstreamTLS()
        tls.authoritiesFile = certificates.file("authority.pem")
        change(&tls)
        var configuration = everything(to: upstream.endpoint)
        configuration.clusters[0].tls = tls
        configuration.routes[0].retries = .none
        return try await withProxy(configuration) { _, port in
            let client = try await RawClient.connect(port: port)
            _ = try await client.get("/")
            return try await client.get("/").status
        }
    }

    @Test("an upstream is reached over TLS when its certificate is good, and only then")
    func upstream() async throws {
        let certificates = try TestCertificates()
        try certificates.issue("server", for: "DNS:server.test")
        let upstream = try await TestUpstream.start(tls: certificates.serverContext())
        #expect(try await Self.answer(of: upstream, certificates) { $0.serverName = "server.test" } == 200)
        // One handshake for two requests.
        #expect(upstream.requests.count == 2 && upstream.connections == 1)
        #expect(try await Self.answer(of: upstream, certificates) { $0.serverName = "other.test" } == 503)
        #expect(try await Self.answer(of: upstream, certificates) == 503)
        let untrusted = try await Self.answer(of: upstream, certificates) {
            $0.serverName = "server.test"
            $0.authoritiesFile = nil
        }
        #expect(untrusted == 503 && upstream.requests.count == 2)
        try await upstream.stop()
        try certificates.remove()
    }

    @Test("an upstream that asks who calls is shown the proxy's certificate")
    func mutual() async throws {
        let certificates = try TestCertificates()
        let upstream = try await TestUpstream.start(tls: certificates.serverContext(asksClients: true))
        let withoutCertificate = try await Self.answer(of: upstream, certificates)
        #expect(withoutCertificate >= 500 && upstream.requests.isEmpty)
        let status = try await Self.answer(of: upstream, certificates) {
            $0.certificateFile = certificates.file("client.pem")
            $0.privateKeyFile = certificates.file("client.key")
        }
        #expect(status == 200)
        try await upstream.stop()
        try certificates.remove()
    }
}
