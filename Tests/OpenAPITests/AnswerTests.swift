import Chassis
import ChassisTesting
import Contracts
import ShopTesting
import Testing

/// What an operation answers with follows from what it is: these are the conventions of the API, held against each document.
@Suite("The answers in the documents of the API")
struct AnswerTests {
    private static func answers(_ operation: APIDocument.Operation, _ statuses: String...) -> Bool {
        operation.statuses.isSuperset(of: statuses)
    }

    @Test("are those that its kind of operation has", arguments: ServiceName.allCases)
    func statuses(of service: ServiceName) throws {
        let document = try APIDocument(of: service)
        for operation in document.operations {
            let parameters = document.parameters(of: operation)
            func has(_ name: String) -> Bool { parameters.contains { $0["name"].string == name } }
            let name = Comment(rawValue: operation.name)
            if !operation.security.isEmpty { #expect(Self.answers(operation, "401"), name) }
            if operation.security.contains(["accessToken": ["admin"]]) { #expect(Self.answers(operation, "403"), name) }
            if operation.hasBody { #expect(Self.answers(operation, "400", "413", "415"), name) }
            if parameters.contains(where: { $0["in"] == "path" }) { #expect(Self.answers(operation, "400", "404"), name) }
            if parameters.contains(where: { $0["in"] == "query" }) { #expect(Self.answers(operation, "400"), name) }
            if has("Idempotency-Key") { #expect(Self.answers(operation, "409", "422"), name) }
            if has("If-Match") { #expect(Self.answers(operation, "412"), name) }
            if operation.isAtGateway, service != .gateway { #expect(Self.answers(operation, "502", "503", "504"), name) }
            #expect(has("limit") == has("cursor"), name)
            #expect(operation.statuses.contains { $0.hasPrefix("2") } && !operation.statuses.contains("500"), name)
            #expect(!operation.statuses.contains("default"), "\(operation.name) says what every answer means, not what the rest does")
        }
    }

    @Test("carry the headers and the form that their status has", arguments: ServiceName.allCases)
    func headers(of service: ServiceName) throws {
        let document = try APIDocument(of: service)
        for operation in document.operations {
            for status in operation.statuses {
                let response = document.response(status, of: operation)
                let headers = response["headers"]
                let name = "\(operation.name) \(status)"
                #expect(response["description"].string?.isEmpty == false, "\(name)")
                #expect(headers["X-Request-Id"]["$ref"] == "#/components/headers/RequestId", "\(name)")
                if status == "401" { #expect(headers["WWW-Authenticate"] != .null, "\(name)") }
                if status == "429" { #expect(headers["Retry-After"] != .null, "\(name)") }
                // A service that is not well says so in its report of how it is, not in a problem.
                if status >= "400", operation.content["tags"] != ["Operations"] {
                    #expect(headers["Retry-After"] != .null || status != "503", "\(name)")
                    let schema = response["content"]["application/problem+json"]["schema"]["$ref"]
                    #expect(schema == "#/components/schemas/Problem" && response["content"].count == 1, "\(name)")
                }
                if status == "204" || status == "202" || status == "304" { #expect(response["content"] == .null, "\(name)") }
            }
        }
    }

    @Test("of a list are an array, its pages linked", arguments: ServiceName.allCases)
    func lists(of service: ServiceName) throws {
        let document = try APIDocument(of: service)
        for operation in document.operations where document.parameters(of: operation).contains(where: { $0["name"] == "limit" }) {
            let response = document.response("200", of: operation)
            #expect(response["headers"]["Link"]["$ref"] == "#/components/headers/NextPage", "\(operation.name)")
            #expect(response["content"]["application/json"]["schema"]["type"] == "array", "\(operation.name)")
        }
    }

    @Test("with a status of failure in an example have that status")
    func examples() throws {
        var seen = 0
        for document in try APIDocument.all() {
            for operation in document.operations {
                for status in operation.statuses {
                    let example = document.response(status, of: operation)["content"]["application/problem+json"]["example"]
                    guard example != .null else { continue }
                    seen += 1
                    #expect(example["status"].integer.map(String.init) == status, "\(operation.name) \(status)")
                    #expect(example["type"].string?.hasPrefix("urn:souk:problem:") == true && example["error"].string != nil)
                }
            }
        }
        #expect(seen > 20)
    }
}
