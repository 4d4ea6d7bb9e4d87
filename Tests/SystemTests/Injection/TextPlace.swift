import Chassis
import ChassisTesting
import Contracts
import ShopTesting

/// A place in a request where a client writes text.
struct TextPlace: Sendable, CustomStringConvertible {
    enum Kind: Sendable, Hashable {
        /// At this JSON pointer.
        case body(String)
        case query(String)
        case header(String)
        case path(String)
    }

    let service: ServiceName
    /// `POST /api/orders`.
    let operation: String
    let kind: Kind
    let longest: Int?
    /// `customer`, `admin`, or nil for anyone.
    let role: String?

    var description: String { "\(operation) \(kind)" }

    /// All that the published documents know, which are held against the routes by `OpenAPITests`: a member, parameter or header that is text, and
    /// every parameter of a path and query, whatever it is meant to be.
    static func all() throws -> [TextPlace] {
        try APIDocument.all().filter { $0.service != .gateway }.flatMap { document in
            document.operations.filter(\.isAtGateway).flatMap { places(of: $0, in: document) }
        }
    }

    private static func places(of operation: APIDocument.Operation, in document: APIDocument) -> [TextPlace] {
        let isForAdministrators = operation.security.contains(["accessToken": ["admin"]])
        let role = isForAdministrators ? "admin" : operation.security.contains(["accessToken": []]) ? "customer" : nil
        func place(_ kind: Kind, _ longest: Int? = nil) -> TextPlace {
            TextPlace(service: document.service, operation: operation.name, kind: kind, longest: longest, role: role)
        }
        let parameters = document.parameters(of: operation).compactMap { parameter -> TextPlace? in
            let name = parameter["name"].string ?? ""
            return switch parameter["in"].string {
            case "query": place(.query(name))
            case "path": place(.path(name))
            case "header": place(.header(name))
            default: nil
            }
        }
        let content = document.resolved(operation.content["requestBody"])["content"]
        var members: [String: Int?] = [:]
        for (_, media) in document.entries(of: content) { collect(media["schema"], at: "", in: document, &members) }
        return parameters + members.sorted { $0.key < $1.key }.map { place(.body($0.key), $0.value) }
    }

    /// The pointers of a schema's texts, with the most code points that each takes.
    private static func collect(_ schema: JSONValue, at pointer: String, in document: APIDocument, _ found: inout [String: Int?]) {
        let schema = document.resolved(schema)
        let types = [schema["type"]] + schema["type"].array
        if types.contains("string") { found.updateValue(schema["maxLength"].integer.map(Int.init), forKey: pointer) }
        for (name, member) in document.entries(of: schema["properties"]) { collect(member, at: "\(pointer)/\(name)", in: document, &found) }
        for variant in schema["oneOf"].array + schema["anyOf"].array + schema["allOf"].array {
            collect(variant, at: pointer, in: document, &found)
        }
        if schema["items"] != .null { collect(schema["items"], at: "\(pointer)/0", in: document, &found) }
    }
}

extension JSONValue {
    /// What stands at a JSON pointer; `.null` where there is nothing.
    func at(_ pointer: String) -> JSONValue {
        pointer.split(separator: "/").reduce(self) { value, name in Int(name).map { value[$0] } ?? value[String(name)] }
    }

    /// The same with another value at a pointer through objects; what is missing on the way is made.
    func setting(_ pointer: Substring, _ value: JSONValue) -> JSONValue {
        let rest = pointer.dropFirst()
        guard !pointer.isEmpty else { return value }
        let name = rest.prefix { $0 != "/" }
        var object: [String: JSONValue] = if case .object(let members) = self { members } else { [:] }
        object[String(name)] = (object[String(name)] ?? [:]).setting(rest.dropFirst(name.count), value)
        return .object(object)
    }
}
