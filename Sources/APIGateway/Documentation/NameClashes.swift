import Contracts

/// A component's place in a document: `#/components/<kind>/<name>`.
struct ComponentName: Hashable {
    let kind: String
    let name: String

    init(kind: String, name: String) {
        self.kind = kind
        self.name = name
    }

    /// Nil for a reference to anything else.
    init?(reference: String) {
        let parts = reference.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "#", parts[1] == "components" else { return nil }
        self.init(kind: String(parts[2]), name: String(parts[3]))
    }

    var reference: String { "#/components/\(kind)/\(name)" }
}

/// The names that mean different things in different documents, and what they are called in the document of all.
struct NameClashes {
    private let components: Set<ComponentName>
    private let operations: Set<String>

    init(among parts: [APIMerge.Part]) {
        var definitions: [ComponentName: [OrderedJSON]] = [:]
        for part in parts {
            for kind in part.document["components"]?.members ?? [] {
                for component in kind.value.members {
                    definitions[ComponentName(kind: kind.name, name: component.name), default: []].append(component.value)
                }
            }
        }
        components = Self.clashes(of: definitions.filter { $0.value.count > 1 })
        let ids = parts.flatMap(\.operations).compactMap { $0["operationId"]?.text }
        operations = Set(Dictionary(grouping: ids) { $0 }.filter { $0.value.count > 1 }.keys)
    }

    /// Those that differ, and those that refer to them, and so on.
    private static func clashes(of shared: [ComponentName: [OrderedJSON]]) -> Set<ComponentName> {
        var clashes = Set(shared.filter { definitions in definitions.value.dropFirst().contains { $0 != definitions.value[0] } }.keys)
        while true {
            let more = shared.filter { name, definitions in
                !clashes.contains(name) && definitions.contains { !clashes.isDisjoint(with: $0.componentsReferredTo) }
            }
            guard !more.isEmpty else { return clashes }
            clashes.formUnion(more.keys)
        }
    }

    // MARK: New names

    func name(of component: ComponentName, in service: ServiceName) -> String {
        components.contains(component) ? "\(service.rawValue).\(component.name)" : component.name
    }

    /// A piece of a service's document as it stands in the document of all.
    func renamed(_ value: OrderedJSON, of service: ServiceName) -> OrderedJSON {
        guard !components.isEmpty || !operations.isEmpty else { return value }
        switch value {
        case .string, .other: return value
        case .array(let elements): return .array(elements.map { renamed($0, of: service) })
        case .object(let members):
            return .object(
                members.map { member in
                    OrderedJSON.Member(name: member.name, value: renamed(member, of: service) ?? renamed(member.value, of: service))
                })
        }
    }

    /// The value of a member that refers to something by its name; nil for any other.
    private func renamed(_ member: OrderedJSON.Member, of service: ServiceName) -> OrderedJSON? {
        switch (member.name, member.value) {
        case ("$ref", .string(let reference)):
            return .string(renamed(reference: reference, of: service))
        case ("operationId", .string(let id)):
            return .string(operations.contains(id) ? "\(service.rawValue).\(id)" : id)
        case ("mapping", .object(let mapping)):
            // Of a discriminator. Other objects of this name have no references for members.
            return .object(
                mapping.map { entry in
                    let reference = entry.value.text.map { OrderedJSON.string(renamed(reference: $0, of: service)) }
                    return OrderedJSON.Member(name: entry.name, value: reference ?? renamed(entry.value, of: service))
                })
        case ("security", .array(let requirements)):
            return .array(
                requirements.map { requirement in
                    .object(
                        requirement.members.map { scheme in
                            let component = ComponentName(kind: "securitySchemes", name: scheme.name)
                            return OrderedJSON.Member(name: name(of: component, in: service), value: scheme.value)
                        })
                })
        default: return nil
        }
    }

    private func renamed(reference: String, of service: ServiceName) -> String {
        guard let component = ComponentName(reference: reference) else { return reference }
        return ComponentName(kind: component.kind, name: name(of: component, in: service)).reference
    }
}

extension OrderedJSON {
    fileprivate var componentsReferredTo: Set<ComponentName> {
        switch self {
        case .string, .other: []
        case .array(let elements): elements.reduce(into: []) { $0.formUnion($1.componentsReferredTo) }
        case .object(let members):
            members.reduce(into: []) { found, member in
                if member.name == "$ref", let component = member.value.text.flatMap(ComponentName.init(reference:)) {
                    found.insert(component)
                } else {
                    found.formUnion(member.value.componentsReferredTo)
                }
            }
        }
    }
}
