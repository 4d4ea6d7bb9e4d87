import Chassis
import ChassisTesting
import Commerce
import Contracts
import ShopTesting
import Testing

@Suite("The documents of the API")
struct DocumentTests {
    private static func duplicates<Text: Hashable & Comparable>(of texts: [Text]) -> [Text] {
        Dictionary(grouping: texts) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
    }

    @Test("are OpenAPI 3.1, of this version, and say where the service is", arguments: ServiceName.allCases)
    func head(of service: ServiceName) throws {
        let document = try APIDocument(of: service)
        #expect(document.root["openapi"] == "3.1.0")
        #expect(document.root["info"]["version"].string == SoukVersion.current)
        #expect(document.root["servers"][0]["url"] == "http://localhost:3000")
        for operation in document.operations where !operation.isAtGateway {
            #expect(operation.servers[0]["url"].string == "http://localhost:\(3000 + service.portOffset)", "\(operation.name)")
        }
    }

    @Test("name each operation once, in words of its own, under a tag that is there", arguments: ServiceName.allCases)
    func names(of service: ServiceName) throws {
        let document = try APIDocument(of: service)
        let tags = Set(document.root["tags"].array.compactMap { $0["name"].string })
        #expect(Self.duplicates(of: document.operations.map(\.id)) == [])
        var used: Set<String> = []
        for operation in document.operations {
            #expect(!operation.id.isEmpty && operation.content["summary"].string != nil, "\(operation.name)")
            #expect(operation.content["description"].string?.isEmpty == false, "\(operation.name)")
            used.formUnion(operation.content["tags"].array.compactMap(\.string))
        }
        #expect(used == tags)
    }

    @Test("name no two operations of the gateway alike: they are to be one document")
    func namesOfAll() throws {
        let ids = try APIDocument.all().flatMap(\.operations).filter(\.isAtGateway)
        #expect(ids.count > 35)
        #expect(Self.duplicates(of: ids.map(\.id)) == [] && Self.duplicates(of: ids.map(\.name)) == [])
    }

    @Test("refer to nothing that is not there, and hold nothing that nobody refers to", arguments: ServiceName.allCases)
    func references(of service: ServiceName) throws {
        let document = try APIDocument(of: service)
        for reference in document.references {
            #expect(document.resolved(["$ref": .string(reference)]) != .null, "\(reference) is nowhere")
        }
        let schemes = document.operations.flatMap(\.security).flatMap(\.members).map { "#/components/securitySchemes/\($0)" }
        #expect(document.references.union(schemes).symmetricDifference(document.components.keys) == [])
        let ids = Set(document.operations.map(\.id))
        for operation in document.operations {
            for status in operation.statuses {
                for (name, link) in document.entries(of: document.response(status, of: operation)["links"]) {
                    #expect(ids.contains(link["operationId"].string ?? ""), "\(operation.name) links \(name) to nothing")
                }
            }
        }
    }

    @Test("say the same of what they share: a component of one name is one thing")
    func shared() throws {
        var first: [String: (service: ServiceName, component: JSONValue)] = [:]
        var compared = 0
        for document in try APIDocument.all() {
            for (reference, component) in document.components {
                guard let known = first.updateValue((document.service, component), forKey: reference) else { continue }
                compared += 1
                #expect(known.component == component, "\(reference) of \(document.service) and \(known.service)")
            }
        }
        #expect(compared > 50)
    }

    @Test("declare the parameters of a path, those and no others", arguments: ServiceName.allCases)
    func pathParameters(of service: ServiceName) throws {
        let document = try APIDocument(of: service)
        for operation in document.operations {
            let declared = document.parameters(of: operation).filter { $0["in"] == "path" }
            let inPath = operation.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { $0.dropFirst().dropLast() }
            #expect(declared.compactMap { $0["name"].string } == inPath.map(String.init), "\(operation.name)")
            #expect(declared.allSatisfy { $0["required"] == true }, "\(operation.name)")
        }
    }

    @Test("know the currencies that the shop knows")
    func currencies() throws {
        let letters = (UInt8(ascii: "A")...UInt8(ascii: "Z")).map { String(UnicodeScalar($0)) }
        let known = letters.flatMap { a in letters.flatMap { b in letters.map { c in a + b + c } } }.filter { Currency(code: $0) != nil }
        let documented = try APIDocument(of: .products).root["components"]["schemas"]["Currency"]["enum"]
        #expect(documented.array.compactMap(\.string) == known)
    }
}
