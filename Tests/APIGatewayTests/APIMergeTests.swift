import Chassis
import ChassisTesting
import Contracts
import Testing

@testable import APIGateway

@Suite("The document of the whole API")
struct APIMergeTests {
    private static func merged() throws -> Description {
        Description(root: try JSONValue.parse(Documentation.document(EmbeddedFile.all).bytes))
    }

    private static func described(by service: ServiceName) throws -> Description {
        let file = try #require(EmbeddedFile.all.first { $0.path == "openapi/\(service.rawValue).json" })
        return Description(root: try JSONValue.parse(file.bytes))
    }

    // MARK: The real one

    @Test("tells of every operation at the gateway, just what its service tells, and of no other")
    func complete() throws {
        let merged = try Self.merged()
        let told = Dictionary(uniqueKeysWithValues: merged.operations.map { ($0.name, $0.content) })
        var expected: Set<String> = []
        for service in ServiceName.allCases {
            let own = try Self.described(by: service)
            for operation in own.operations where operation.servers == .null {
                expected.insert(operation.name)
                let content = try #require(told[operation.name], "\(operation.name) is missing")
                #expect(merged.expanded(content) == own.expanded(operation.content), "\(operation.name)")
                for scheme in operation.content["security"].array.flatMap(\.members) {
                    let path = "#/components/securitySchemes/\(scheme)"
                    #expect(merged.target(of: path) == own.target(of: path) && own.target(of: path) != .null, "\(operation.name)")
                }
            }
        }
        #expect(Set(told.keys) == expected && expected.count > 40)
        #expect(told.keys.filter { $0.contains("/internal") } == [])
        #expect(told["get /health"]?["summary"] == "How is the shop?", "the gateway's own, not a service's")
    }

    @Test("refers to nothing that is not there, holds nothing that nobody refers to, and names no operation twice")
    func consistent() throws {
        let merged = try Self.merged()
        for reference in merged.references { #expect(merged.target(of: reference) != .null, "\(reference)") }
        let components = merged.root["components"].members.flatMap { kind in
            merged.root["components"][kind].members.map { "#/components/\(kind)/\($0)" }
        }
        let schemes = merged.operations.flatMap { $0.content["security"].array.flatMap(\.members) }.map {
            "#/components/securitySchemes/\($0)"
        }
        #expect(Set(components) == merged.references.union(schemes))
        let ids = merged.operations.compactMap { $0.content["operationId"].string }
        #expect(ids.count == merged.operations.count && Set(ids).count == ids.count)
    }

    @Test("is OpenAPI 3.1 with all that this asks for")
    func valid() throws {
        let merged = try Self.merged()
        #expect(merged.root["openapi"].string?.hasPrefix("3.1.") == true)
        #expect(merged.root["info"]["title"] == "Souk" && merged.root["info"]["version"].string == SoukVersion.current)
        #expect(merged.root["servers"].count == 1 && merged.root["servers"][0]["url"] == "/")
        let tags = merged.root["tags"].array.compactMap { $0["name"].string }
        #expect(Set(tags).count == tags.count && tags.last == "Operations")
        for operation in merged.operations {
            let used = operation.content["tags"].array.compactMap(\.string)
            #expect(!used.isEmpty && used.allSatisfy(tags.contains), "\(operation.name)")
            #expect(!operation.content["responses"].members.isEmpty, "\(operation.name)")
            for parameter in operation.content["parameters"].array.map({ merged.expanded($0) }) {
                #expect(
                    ["path", "query", "header"].contains(parameter["in"].string) && parameter["name"].string != nil, "\(operation.name)")
                if parameter["in"] == "path" { #expect(operation.path.contains("{\(parameter["name"].string ?? "")}")) }
            }
        }
        let allowed = try Regex("[A-Za-z0-9._-]+")
        for kind in merged.root["components"].members {
            for name in merged.root["components"][kind].members { #expect(name.wholeMatch(of: allowed) != nil, "\(name)") }
        }
    }

    @Test("keeps the order in which people wrote it")
    func order() throws {
        let document = try Documentation.document(EmbeddedFile.all)
        #expect(document.members.map(\.name) == ["openapi", "info", "servers", "tags", "paths", "components"])
        #expect(document["paths"]?.members.first?.name == "/api/users/register")
        #expect(document["components"]?["schemas"]?["Order"]?["properties"]?.members.first?.name == "id")
    }

    // MARK: Names that clash

    private static func merge(_ users: String, _ orders: String) throws -> Description {
        let parts = [
            APIMerge.Part(service: .users, document: try OrderedJSON(parsing: Array(users.utf8))),
            APIMerge.Part(service: .orders, document: try OrderedJSON(parsing: Array(orders.utf8))),
        ]
        return Description(root: try JSONValue.parse(try APIMerge.document(of: parts, head: []).bytes))
    }

    /// A document with one operation that answers with `schema`.
    private static func document(path: String, id: String, tag: String = "T", schema: String, components: String) -> String {
        """
        {"tags": [{"name": "\(tag)"}, {"name": "Unused"}],
         "paths": {"\(path)": {"get": {"operationId": "\(id)", "tags": ["\(tag)"], "security": [{"key": []}],
           "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/\(schema)"}}},
             "links": {"again": {"operationId": "\(id)"}}}}}},
          "/internal/a": {"get": {"operationId": "hidden", "responses": {}}},
          "/live": {"servers": [{"url": "http://localhost:1"}], "get": {"operationId": "live", "responses": {}}}},
         "components": {"schemas": {\(components)}, "securitySchemes": {"key": {"type": "\(id)"}}}}
        """
    }

    @Test("has what is alike once, and what is not for each service, with all that refers to it")
    func clashes() throws {
        let shared = ##""Same": {"a": 1, "b": [true]}"##
        let merged = try Self.merge(
            Self.document(
                path: "/a", id: "one", schema: "List",
                components: shared + ##", "List": {"items": {"$ref": "#/components/schemas/Item"}}, "Item": {"type": "string"}"##),
            Self.document(
                path: "/b", id: "two", schema: "List",
                components: ##""Same": {"b": [true], "a": 1}, "List": {"items": {"$ref": "#/components/schemas/Item"}}, "##
                    + ##""Item": {"type": "integer", "next": {"$ref": "#/components/schemas/Item"}}"##))
        let schemas = merged.root["components"]["schemas"]
        #expect(
            schemas.members == ["Same", "user-service.List", "user-service.Item", "order-service.List", "order-service.Item"],
            "what refers to something else is something else, though it is spelled alike")
        #expect(schemas["order-service.List"]["items"]["$ref"] == "#/components/schemas/order-service.Item")
        #expect(schemas["order-service.Item"]["next"]["$ref"] == "#/components/schemas/order-service.Item")
        for (path, service) in [("/a", "user-service"), ("/b", "order-service")] {
            let operation = merged.root["paths"][path]["get"]
            let schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            #expect(schema["$ref"].string == "#/components/schemas/\(service).List")
            #expect(operation["security"][0].members == ["\(service).key"])
        }
        #expect(merged.root["components"]["securitySchemes"]["order-service.key"]["type"] == "two")
        #expect(merged.references.allSatisfy { merged.target(of: $0) != .null })
    }

    @Test("has every operation under an id of its own, in links, too")
    func operationIDs() throws {
        let merged = try Self.merge(
            Self.document(path: "/a", id: "list", schema: "S", components: #""S": {}"#),
            Self.document(path: "/b", id: "list", schema: "S", components: #""S": {}"#))
        for (path, id) in [("/a", "user-service.list"), ("/b", "order-service.list")] {
            let operation = merged.root["paths"][path]["get"]
            #expect(operation["operationId"].string == id)
            #expect(operation["responses"]["200"]["links"]["again"]["operationId"].string == id)
        }
    }

    @Test("leaves out what the gateway does not pass on, and tags that nothing has then")
    func hidden() throws {
        let merged = try Self.merge(
            Self.document(path: "/a", id: "one", tag: "A", schema: "S", components: #""S": {}"#),
            Self.document(path: "/b", id: "two", tag: "B", schema: "S", components: #""S": {}"#))
        #expect(merged.root["paths"].members == ["/a", "/b"])
        #expect(merged.root["tags"].array.compactMap { $0["name"].string } == ["A", "B"])
    }

    @Test("has a path of two services with the methods of both, and none that is of both")
    func sharedPaths() throws {
        let get = #"{"paths": {"/a": {"get": {"operationId": "one", "responses": {}}}}}"#
        let put = #"{"paths": {"/a": {"put": {"operationId": "two", "responses": {}}}}}"#
        #expect(try Self.merge(get, put).root["paths"]["/a"].members == ["get", "put"])
        let error = #expect(throws: APIMergeError.self) { try Self.merge(get, get) }
        #expect(error?.description == "openapi/order-service.json: get of /a is in another service's document, too")
    }
}
