public import Chassis
import ChassisTesting
public import Contracts
import Foundation

/// The published description of one service's API: `openapi/<service>.json`.
public struct APIDocument: Sendable {
    public let service: ServiceName
    public let root: JSONValue

    public init(of service: ServiceName) throws {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        self.service = service
        root = try JSONValue.parse(try Data(contentsOf: repository.appending(path: "openapi/\(service.rawValue).json")))
    }

    public static func all() throws -> [APIDocument] { try ServiceName.allCases.map(APIDocument.init) }

    /// One operation, with what it says of itself.
    public struct Operation: Sendable {
        public let method: String
        public let path: String
        /// Where it is, when that is not the gateway.
        public let servers: JSONValue
        public let content: JSONValue

        /// As a route names itself: `GET /api/orders/{id}`.
        public var name: String { "\(method) \(path)" }
        public var id: String { content["operationId"].string ?? "" }
        public var isAtGateway: Bool { servers == .null }
        public var security: [JSONValue] { content["security"].array }
        /// The statuses that it answers with.
        public var statuses: Set<String> { content["responses"].members }
        public var hasBody: Bool { content["requestBody"] != .null }
    }

    public var operations: [Operation] {
        let methods: Set<String> = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
        return entries(of: root["paths"]).flatMap { path, item in
            entries(of: item).filter { methods.contains($0.name) }.map { method, content in
                Operation(method: method.uppercased(), path: path, servers: item["servers"], content: content)
            }
        }
    }

    /// The parameters of an operation, where they stand.
    public func parameters(of operation: Operation) -> [JSONValue] { operation.content["parameters"].array.map(resolved) }

    public func response(_ status: String, of operation: Operation) -> JSONValue { resolved(operation.content["responses"][status]) }

    // MARK: References

    /// What stands at a reference, and everything else as it is; `.null` for a reference to nothing.
    public func resolved(_ value: JSONValue) -> JSONValue {
        guard let reference = value["$ref"].string else { return value }
        guard reference.hasPrefix("#/") else { return .null }
        return reference.dropFirst(2).split(separator: "/").reduce(root) { $0[String($1)] }
    }

    /// All references of the document, once each.
    public var references: Set<String> {
        var found: Set<String> = []
        func visit(_ value: JSONValue) {
            if let reference = value["$ref"].string { found.insert(reference) }
            for (_, child) in entries(of: value) { visit(child) }
            for child in value.array { visit(child) }
        }
        visit(root)
        return found
    }

    /// Everything in `components`, by its reference.
    public var components: [String: JSONValue] {
        var found: [String: JSONValue] = [:]
        for (kind, members) in entries(of: root["components"]) {
            for (name, component) in entries(of: members) { found["#/components/\(kind)/\(name)"] = component }
        }
        return found
    }

    /// The members of an object by their names; none of anything else.
    public func entries(of value: JSONValue) -> [(name: String, value: JSONValue)] {
        value.members.sorted().map { ($0, value[$0]) }
    }
}
