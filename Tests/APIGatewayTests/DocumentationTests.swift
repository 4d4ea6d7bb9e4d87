import Chassis
import ChassisTesting
import Foundation
import HTTPTypes
import Testing

@testable import APIGateway

@Suite("The API's document and its page, at the gateway")
struct DocumentationTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let page = repository.appending(path: "Sources/CDocumentation/page")

    private static func names(in folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }.sorted()
    }

    // MARK: What is in the executable

    @Test("what the executable carries is what stands in the repository, byte for byte, and all of it")
    func embedded() throws {
        let documents = try Self.names(in: Self.repository.appending(path: "openapi")).map { ("openapi/\($0)", "openapi/\($0)") }
        let files = try Self.names(in: Self.page).map { ("page/\($0)", "Sources/CDocumentation/page/\($0)") }
        #expect(documents.count == 6 && files.count > 10)
        #expect(EmbeddedFile.all.map(\.path).sorted() == (documents + files).map(\.0).sorted())
        for (name, path) in documents + files {
            let file = try #require(EmbeddedFile.all.first { $0.path == name }, "\(name) is not in documentation.c")
            #expect(Data(file.bytes) == (try Data(contentsOf: Self.repository.appending(path: path))), "\(name)")
        }
    }

    @Test(
        "an executable without one of the documents, or without the page, does not start",
        arguments: ["openapi/order-service.json", "page/index.html"])
    func incomplete(path: String) {
        let error = #expect(throws: DocumentationError.self) { try Documentation(EmbeddedFile.all.filter { $0.path != path }) }
        #expect(error?.description == "\(path) is not part of the executable")
    }

    // MARK: Over HTTP

    @Test("the document and every file of the page are there for everybody, once, and then spared who has them")
    func served() async throws {
        try await GatewayFixture.run { gateway in
            var paths = ["/openapi.json": "application/json", "/docs": "text/html; charset=utf-8"]
            let types = [
                "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
                "svg": "image/svg+xml",
            ]
            for name in try Self.names(in: Self.page) { paths["/docs/\(name)"] = types[String(name.split(separator: ".").last ?? "")] }
            #expect(paths.count > 12)
            for (path, type) in paths {
                let reply = try await gateway.client.get(path)
                #expect(reply.status == .ok && reply.headers[.contentType] == type && !reply.body.isEmpty, "\(path)")
                #expect(reply.headers[.cacheControl] == "public, max-age=60", "\(path)")
                let tag = try #require(reply.headers[.eTag])
                #expect(tag.count == 36 && tag.hasPrefix("W/\"") && tag.hasSuffix("\""), "a weak one")
                for known in [tag, "\(tag.dropFirst(2))", "\"other\", \(tag)", "*"] {
                    let again = try await gateway.client.get(path, headers: [.ifNoneMatch: known])
                    #expect(again.status == .notModified && again.body.isEmpty && again.headers[.eTag] == tag, "\(path) \(known)")
                    #expect(again.headers[.cacheControl] == "public, max-age=60", "\(path) \(known)")
                }
                let other = try await gateway.client.get(path, headers: [.ifNoneMatch: "\"other\""])
                #expect(other.status == .ok && other.body == reply.body, "\(path)")
            }
            let missing = try await gateway.client.get("/docs/none.js")
            #expect(missing.status == .notFound && missing.headers[.contentType] == "application/problem+json")
            #expect(gateway.upstream.seen.isEmpty)
        }
    }

    @Test("HEAD is answered like GET, without the body", arguments: ["/openapi.json", "/docs", "/docs/main.js"])
    func head(path: String) async throws {
        try await GatewayFixture.run { gateway in
            let whole = try await gateway.client.get(path)
            let head = try await gateway.client.send(.head, path)
            #expect(head.status == .ok && head.body.isEmpty)
            for name in [HTTPField.Name.contentType, .eTag, .cacheControl, .contentLength, .contentSecurityPolicy] {
                #expect(head.headers[name] != nil && head.headers[name] == whole.headers[name], "\(name)")
            }
            let known = try await gateway.client.send(.head, path, headers: [.ifNoneMatch: try #require(whole.headers[.eTag])])
            #expect(known.status == .notModified)
        }
    }

    @Test("both travel compressed to clients that take that, and their tag is known again")
    func compressed() async throws {
        try await GatewayFixture.run { gateway in
            for path in ["/openapi.json", "/docs", "/docs/main.js"] {
                let reply = try await gateway.client.get(path, headers: [.acceptEncoding: "gzip"])
                #expect(reply.headers[.contentEncoding] == "gzip" && reply.headers[.vary] == "accept-encoding", "\(path)")
                let known: HTTPFields = [.acceptEncoding: "gzip", .ifNoneMatch: try #require(reply.headers[.eTag])]
                #expect(try await gateway.client.get(path, headers: known).status == .notModified, "\(path)")
            }
        }
    }

    @Test("the document at the gateway is the merged one")
    func document() async throws {
        let expected = try JSONValue.parse(Documentation.document(EmbeddedFile.all).bytes)
        try await GatewayFixture.run { gateway in
            let reply = try await gateway.client.get("/openapi.json")
            #expect(reply.json == expected)
        }
    }

    // MARK: The page keeps to itself

    @Test("a browser lets the page load and ask nothing but this gateway, and make no markup of text")
    func contentSecurityPolicy() async throws {
        try await GatewayFixture.run { gateway in
            let reply = try await gateway.client.get("/docs")
            #expect(
                reply.headers[.contentSecurityPolicy]
                    == "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
                    + "frame-ancestors 'none'; form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'")
            #expect(reply.headers[.xContentTypeOptions] == "nosniff")
        }
    }

    @Test("the page names no other origin, makes no markup of text, and stores nothing")
    func selfContained() throws {
        let forbidden = [
            "//", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "localStorage",
            "sessionStorage",
            "indexedDB", "document.cookie", "style=", "onclick=",
        ]
        for name in try Self.names(in: Self.page) {
            let text = try String(contentsOf: Self.page.appending(path: name), encoding: .utf8)
                .replacing("http://www.w3.org/2000/svg", with: "")
            // In a script two slashes begin a comment; in a string there are none.
            let code = text.split(separator: "\n").map { $0.prefix(upTo: $0.firstRange(of: "// ")?.lowerBound ?? $0.endIndex) }
            for line in code {
                for word in forbidden { #expect(!line.contains(word), "\(name): \(word) in \(line)") }
            }
        }
    }

    @Test("what the page asks for is there")
    func links() throws {
        let names = Set(try Self.names(in: Self.page))
        var asked: Set<String> = []
        for name in names {
            let text = try String(contentsOf: Self.page.appending(path: name), encoding: .utf8)
            for match in text.matches(of: try Regex(#""(?:/docs/|\./)([a-z.]+)""#)) {
                asked.insert(String(match.output[1].substring ?? ""))
            }
        }
        #expect(asked == names.subtracting(["index.html"]), "and nothing is there that the page does not ask for")
    }

    @Test("the gateway's document names the files of the page")
    func documented() throws {
        let file = try #require(EmbeddedFile.all.first { $0.path == "openapi/api-gateway.json" })
        let parameter = try JSONValue.parse(file.bytes)["paths"]["/docs/{file}"]["get"]["parameters"][0]
        #expect(parameter["schema"]["enum"].array.compactMap(\.string).sorted() == (try Self.names(in: Self.page)))
    }
}
