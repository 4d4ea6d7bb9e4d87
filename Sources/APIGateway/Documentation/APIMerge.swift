import Contracts

// Every service describes its own API in a document of its own. Whoever uses the shop meets one API, so the gateway shows one document: what
// the services say, as they say it, of what can be reached through the gateway.
//
// - Left out are `/internal/…`, and path items with `servers` of their own: that is how a document says that something is to be had from the
//   service only, and not here.
// - A component that several documents define alike is there once. Of one that they define differently each has its own, under
//   `<service>.<name>`, and everything that refers to it follows. So does a component that is spelled alike but refers to a different one:
//   it means something else in each document. This goes on until nothing is added any more.
// - An operation keeps its `operationId`, unless two documents use it: then each is `<service>.<id>`, in links, too.
// - A tag is taken from the first document that has it and uses it.
//
// References are known by their name and form (`$ref` with a text, `security` with an array), wherever they stand. An example that contains such
// a thing is taken for one, too; that makes a difference only where names clash.

/// Makes one OpenAPI 3.1 document of those of several services.
struct APIMerge {
    struct Part {
        let service: ServiceName
        let document: OrderedJSON
    }

    private let parts: [Part]
    private let clashes: NameClashes

    private init(_ documents: [Part]) {
        let parts = documents.map { Part(service: $0.service, document: Self.public($0.document)) }
        self.parts = parts
        clashes = NameClashes(among: parts)
    }

    /// - Parameters:
    ///   - head: what the document begins with: `openapi`, `info`, `servers`.
    /// - Throws: ``APIMergeError`` when two documents describe the same operation.
    static func document(of parts: [Part], head: [OrderedJSON.Member]) throws(APIMergeError) -> OrderedJSON {
        let merge = APIMerge(parts)
        return .object(
            head + [
                OrderedJSON.Member(name: "tags", value: .array(merge.tags())),
                OrderedJSON.Member(name: "paths", value: .object(try merge.paths())),
                OrderedJSON.Member(name: "components", value: .object(merge.components())),
            ])
    }

    /// The document without what the gateway does not pass on.
    private static func `public`(_ document: OrderedJSON) -> OrderedJSON {
        .object(
            document.members.map { member in
                guard member.name == "paths" else { return member }
                let kept = member.value.members.filter { path in
                    !(path.name + "/").hasPrefix("/internal/") && path.value["servers"] == nil
                }
                return OrderedJSON.Member(name: "paths", value: .object(kept))
            })
    }

    // MARK: The pieces of the result

    private func tags() -> [OrderedJSON] {
        var tags: [OrderedJSON] = []
        for part in parts {
            let used = Set(part.operations.flatMap { $0["tags"]?.elements ?? [] }.compactMap(\.text))
            for tag in part.document["tags"]?.elements ?? [] {
                guard let name = tag["name"], used.contains(name.text ?? ""), !tags.contains(where: { $0["name"] == name }) else {
                    continue
                }
                tags.append(tag)
            }
        }
        return tags
    }

    private func paths() throws(APIMergeError) -> [OrderedJSON.Member] {
        var paths: [OrderedJSON.Member] = []
        for part in parts {
            for path in part.document["paths"]?.members ?? [] {
                let item = clashes.renamed(path.value, of: part.service)
                guard let known = paths.firstIndex(where: { $0.name == path.name }) else {
                    paths.append(OrderedJSON.Member(name: path.name, value: item))
                    continue
                }
                for member in item.members where paths[known].value[member.name] != nil {
                    throw APIMergeError(path: path.name, member: member.name, service: part.service)
                }
                paths[known].value = .object(paths[known].value.members + item.members)
            }
        }
        return paths
    }

    private func components() -> [OrderedJSON.Member] {
        var kinds: [OrderedJSON.Member] = []
        for part in parts {
            for kind in part.document["components"]?.members ?? [] {
                let index = kinds.firstIndex { $0.name == kind.name } ?? kinds.endIndex
                if index == kinds.endIndex { kinds.append(OrderedJSON.Member(name: kind.name, value: [:])) }
                for component in kind.value.members {
                    let name = clashes.name(of: ComponentName(kind: kind.name, name: component.name), in: part.service)
                    guard kinds[index].value[name] == nil else { continue }
                    let renamed = OrderedJSON.Member(name: name, value: clashes.renamed(component.value, of: part.service))
                    kinds[index].value = .object(kinds[index].value.members + [renamed])
                }
            }
        }
        return kinds
    }
}

extension APIMerge.Part {
    /// All that stands at a method of a path.
    var operations: [OrderedJSON] {
        (document["paths"]?.members ?? []).flatMap { $0.value.members.map(\.value) }.filter { $0["responses"] != nil }
    }
}

/// Two documents describe the same thing at the same path: only one of them can be what a client meets.
struct APIMergeError: Error, CustomStringConvertible {
    let path: String
    let member: String
    let service: ServiceName

    var description: String { "openapi/\(service.rawValue).json: \(member) of \(path) is in another service's document, too" }
}
