import Chassis
import ChassisTesting

/// An OpenAPI document as a test looks at it.
struct Description {
    private static let methods: Set<String> = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    let root: JSONValue

    struct Operation {
        /// `get /api/orders/{id}`.
        let name: String
        let path: String
        /// The path item's own servers: where it is, when that is not the gateway.
        let servers: JSONValue
        let content: JSONValue
    }

    var operations: [Operation] {
        root["paths"].members.sorted().flatMap { path in
            let item = root["paths"][path]
            return item.members.intersection(Self.methods).sorted().map { method in
                Operation(name: "\(method) \(path)", path: path, servers: item["servers"], content: item[method])
            }
        }
    }

    /// Every reference in it.
    var references: Set<String> {
        var found: Set<String> = []
        func visit(_ value: JSONValue) {
            if let reference = value["$ref"].string { found.insert(reference) }
            for name in value.members { visit(value[name]) }
            for element in value.array { visit(element) }
        }
        visit(root)
        return found
    }

    /// `.null` for a reference to nothing.
    func target(of reference: String) -> JSONValue {
        guard reference.hasPrefix("#/") else { return .null }
        return reference.dropFirst(2).split(separator: "/").reduce(root) { $0[String($1)] }
    }

    /// The value with what it refers to in place of every reference, so that names of components make no difference. A reference to what it
    /// stands in is the number of references in between.
    func expanded(_ value: JSONValue, inside: [String] = []) -> JSONValue {
        if let reference = value["$ref"].string {
            if let outer = inside.lastIndex(of: reference) { return .integer(Int64(inside.count - outer)) }
            return expanded(target(of: reference), inside: inside + [reference])
        }
        switch value {
        case .array(let elements): return .array(elements.map { expanded($0, inside: inside) })
        case .object(let members): return .object(members.mapValues { expanded($0, inside: inside) })
        default: return value
        }
    }
}
