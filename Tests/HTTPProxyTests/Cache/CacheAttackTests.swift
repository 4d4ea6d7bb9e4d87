import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPProxy

// The upstream here answers with what it was told, and says of everything that it is for everybody. Whatever one client can make it say must not be
// what another client is given, unless that one has told it the same.

@Suite("Nobody gets what belongs to another, or what another has made up", .timeLimit(.minutes(1)))
struct CacheAttackTests {
    /// What the service was told, of all that an answer could depend on.
    private static func echo(_ request: TestUpstream.Request, _ names: [String] = []) -> String {
        let told = ["host", "x-forwarded-host", "x-forwarded-proto", "x-user"] + names
        return ([request.head.uri] + told.map { "\($0)=\(request.values($0).joined(separator: ","))" }).joined(separator: " ")
    }

    @Test("without a word that it is for everybody nothing is shared, least of all between users")
    func authorization() async throws {
        let answers: [[(String, String)]] = [
            [("cache-control", "max-age=60")], [("cache-control", "private, max-age=60")],
            [("cache-control", "public, max-age=60"), ("set-cookie", "session=1")], [],
        ]
        for fields in answers {
            try await CacheSite.run(answer: {
                CacheSite.Response(headers: HTTPHeaders(fields), body: $0.values("authorization").joined())
            }) { site in
                for user in ["anna", "bert"] {
                    let answer = try await site.client().get("/me", "Authorization: Bearer \(user)\r\n")
                    #expect(answer.body == "Bearer \(user)")
                }
            }
        }
    }

    @Test("what depends on who asks is given only to who asks the same", arguments: ["authorization", "Authorization, Accept", "cookie"])
    func varies(vary: String) async throws {
        try await CacheSite.run(answer: {
            CacheSite.shared(Self.echo($0, ["authorization", "cookie"]), [("vary", vary)])
        }) { site in
            for round in 0..<2 {
                for user in ["anna", "bert"] {
                    let answer = try await site.client().get("/me", "Authorization: \(user)\r\nCookie: \(user)\r\n")
                    #expect(answer.body.contains("authorization=\(user) cookie=\(user)"))
                    #expect((answer["cache-status"] == "souk; hit; ttl=60") == (round == 1))
                }
            }
            // Without the field is not the same as with any.
            let nobody = try await site.client().get("/me")
            #expect(nobody.body.hasSuffix("authorization= cookie="))
            let empty = try await site.client().get("/me", "Authorization:\r\nCookie:\r\n")
            #expect(empty["cache-status"] == "souk; fwd=vary-miss")
        }
    }

    @Test("what the gateway itself tells the service of who asks is a part of the key")
    func identity() async throws {
        let policy = FunctionPolicy { request, _ in
            var changes = HeaderChanges()
            do { try changes.setUpstream("X-User", request.head.first("authorization") ?? "nobody") } catch {
                return .answer(LocalResponse(status: .internalServerError))
            }
            request.changes.merge(changes)
            return .next
        }
        try await CacheSite.run(answer: { CacheSite.shared(Self.echo($0)) }, configure: { $0.routes[0].policies = [policy] }) { site in
            let client = try await site.client()
            for round in 0..<2 {
                for user in ["anna", "bert"] {
                    let answer = try await client.get("/me", "Authorization: \(user)\r\nX-User: admin\r\n")
                    #expect(answer.body.hasSuffix("x-user=\(user)"))
                    #expect((answer["cache-status"] == "souk; hit; ttl=60") == (round == 1))
                }
            }
        }
    }

    @Test("a host that is spelled otherwise or has a port never answers for another")
    func hosts() async throws {
        let hosts = ["shop.test", "SHOP.test", "shop.test:80", "shop.test:443", "shop.test:8080", "shop.test.", "other.test"]
        try await CacheSite.run(answer: { CacheSite.shared(Self.echo($0)) }) { site in
            let client = try await site.client()
            for _ in 0..<2 {
                for host in hosts {
                    #expect(
                        try await client.ask("/a", host: host).body
                            == "/a host=\(host) x-forwarded-host=\(host) x-forwarded-proto=http x-user=")
                }
            }
            #expect(site.asked.count == hosts.count)
            // A request that names none is answered by the service alone.
            let old = try await site.client()
            try await old.send("GET /a HTTP/1.0\r\n\r\n")
            #expect(try await old.receiveToEnd().contains("souk; fwd=bypass"))
        }
    }

    @Test("fields that claim another host, scheme or path change nothing for others")
    func unkeyed() async throws {
        let claims = [
            "X-Forwarded-Host: evil.test", "X-Forwarded-Proto: gopher", "X-Forwarded-Scheme: nothttps", "X-Forwarded-Server: evil.test",
            "Forwarded: host=evil.test", "X-Original-URL: /evil", "X-Rewrite-URL: /evil", "X-Host: evil.test",
            "X-HTTP-Method-Override: POST", "X_Forwarded_Host: evil.test", "X-Souk-User: admin", "Connection: x-user\r\nX-User: 7",
        ]
        for claim in claims {
            try await CacheSite.run(
                answer: { request in
                    let names = ["x-original-url", "x-rewrite-url", "x-host", "x-http-method-override", "x-souk-user", "forwarded"]
                    return CacheSite.shared(Self.echo(request, names))
                }, configure: { $0.reservedHeaderPrefixes = ["x-souk-"] }
            ) { site in
                _ = try await site.client().get("/a", "\(claim)\r\n")
                let victim = try await site.client().get("/a")
                #expect(
                    victim.body == "/a host=shop.test x-forwarded-host=shop.test x-forwarded-proto=http x-user= x-original-url= "
                        + "x-rewrite-url= x-host= x-http-method-override= x-souk-user= forwarded=", "\(claim)")
            }
        }
    }

    @Test("what a trusted proxy says of host and scheme is passed on, and so is a part of the key")
    func trusted() async throws {
        try await CacheSite.run(
            answer: { CacheSite.shared(Self.echo($0)) }, configure: { $0.trustedProxies = [AddressRange("127.0.0.1")].compactMap(\.self) }
        ) { site in
            let client = try await site.client()
            for _ in 0..<2 {
                for (host, scheme) in [("a.test", "https"), ("a.test", "http"), ("b.test", "https")] {
                    let answer = try await client.get("/a", "X-Forwarded-Host: \(host)\r\nX-Forwarded-Proto: \(scheme)\r\n")
                    #expect(answer.body == "/a host=shop.test x-forwarded-host=\(host) x-forwarded-proto=\(scheme) x-user=")
                }
            }
            #expect(site.asked.count == 3)
        }
    }

    @Test("a field that does not reach the service cannot stand for what it was told")
    func namedByConnection() async throws {
        try await CacheSite.run(answer: { request in
            CacheSite.shared(request.values("accept-language").first ?? "default", [("vary", "accept-language")])
        }) { site in
            let evil = try await site.client().get("/a", "Accept-Language: de\r\nConnection: Accept-Language\r\n")
            #expect(evil.body == "default" && evil["cache-status"] == "souk; fwd=bypass")
            #expect(try await site.client().get("/a", "Accept-Language: de\r\n").body == "de")
        }
    }

    @Test("paths of one normal form are one, and all else of an address is told apart")
    func addresses() async throws {
        try await CacheSite.run(answer: { CacheSite.shared(Self.echo($0)) }) { site in
            let client = try await site.client()
            for path in ["/a/b", "/a//b", "/a/%62", "/%61/b"] { #expect(try await client.get(path).body.hasPrefix("/a/b host")) }
            #expect(site.asked == ["GET /a/b"])
            for path in ["/a/b/", "/a/B", "/a/b?", "/a/b?x=1&y=2", "/a/b?y=2&x=1", "/a/b?x=1", "/a/b?X=1", "/a%2Cb", "/a,b"] {
                #expect(try await client.get(path).body.hasPrefix("\(path) host"), "\(path)")
            }
            #expect(site.asked.count == 10)
        }
    }

    @Test("a part, and a GET with a body, are neither stored nor given from the store")
    func parts() async throws {
        try await CacheSite.run(answer: { request in
            CacheSite.shared(request.values("range").joined() + request.body)
        }) { site in
            let client = try await site.client()
            #expect(try await client.get("/a", "Range: bytes=0-1\r\n").body == "bytes=0-1")
            try await client.send("GET /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\n\r\nfat")
            #expect(try await client.response().body == "fat")
            #expect(site.responses.entries == 0)
            #expect(try await client.get("/a").body == "")
            #expect(try await client.get("/a", "Range: bytes=0-1\r\n").body == "bytes=0-1")
        }
    }

    @Test("two schemes are two keys, and so are two routes and two clusters, and no two lists of parts run into each other")
    func keys() throws {
        let head = try CacheFixture.request("GET", "/a")
        var changes = HeaderChanges()
        changes.setUpstream(checked: "x-a", "1")
        var other = HeaderChanges()
        other.setUpstream(checked: "x-a", "2")
        let forwarded = try CacheFixture.request("GET", "/a", ["X-Forwarded-Host: b"])
        let all = [
            try CacheFixture.sent(head), try CacheFixture.sent(head, scheme: .https), try CacheFixture.sent(head, route: "b"),
            try CacheFixture.sent(head, cluster: "b"), try CacheFixture.sent(head, rewrite: "/v2"),
            try CacheFixture.sent(head, route: "al", cluster: "lall"), try CacheFixture.sent(head, changes: changes),
            try CacheFixture.sent(head, changes: other), try CacheFixture.sent(forwarded, isTrusted: true),
            try CacheFixture.sent(CacheFixture.request("GET", "/a?")), try CacheFixture.sent(CacheFixture.request("GET", "/a?x-a")),
        ].compactMap { ResponseKey($0) }
        #expect(Set(all).count == 11)
        let (claimed, plain) = (ResponseKey(try CacheFixture.sent(forwarded)), ResponseKey(try CacheFixture.sent(head)))
        #expect(claimed == plain)
    }
}
