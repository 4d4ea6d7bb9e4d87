import ChassisStorage
import Contracts
import Foundation

// What was created under an idempotency key is named by the response that is stored under it: an order, a refund, a product. The responses
// are kept for a day, and so is what these can show.

extension Invariant {
    static let oneEffectPerKey = Invariant(
        "one-effect-per-key", .keys, .always, reading: CreatedThing.all.map(\.service), isPartial: true,
        "No two idempotency keys have created the same order, refund or product."
    ) { books in
        var finding = Finding()
        for thing in CreatedThing.all where books[thing.service] != nil {
            finding.add(
                try await books.read(thing.service) { transaction in
                    var finding = Finding()
                    var keys: [Int64: String] = [:]
                    try thing.each(in: transaction) { id, key in
                        finding.examined += 1
                        guard let id, let other = keys.updateValue(key, forKey: id) else { return }
                        finding.violation("\(thing.name) \(id)", "was created under \(other) and under \(key)")
                    }
                    return finding
                })
        }
        return finding
    }

    static let answersAreKept = Invariant(
        "answers-are-kept", .memory, .always, reading: CreatedThing.all.map(\.service), isPartial: true,
        "Whatever a client was told is created is there."
    ) { books in
        var finding = Finding()
        for thing in CreatedThing.all where books[thing.service] != nil {
            finding.add(try await books.read(thing.service) { try thing.lost(in: $0) })
        }
        return finding
    }
}

/// What a service creates under idempotency keys.
private struct CreatedThing: Sendable {
    let service: ServiceName
    let name: String
    /// All ids, ascending.
    let ids: SQL

    static let all = [
        CreatedThing(service: .products, name: "product", ids: "SELECT id FROM products ORDER BY id"),
        CreatedThing(service: .orders, name: "order", ids: "SELECT id FROM orders ORDER BY id"),
        CreatedThing(service: .payments, name: "refund", ids: "SELECT id FROM refunds ORDER BY id"),
    ]

    /// What every response that says 201 has in its body.
    private struct Created: Decodable {
        let id: Int64
    }

    /// Runs `body` for each 201 with the id that it names, if it does, and the key.
    func each(in transaction: Transaction, _ body: (Int64?, String) throws -> Void) throws {
        let decoder = JSONDecoder()
        try transaction.each("SELECT scope, key, body FROM idempotency_keys WHERE status = 201") { row in
            let (scope, key, response): (String, String, Data) = (try row["scope"], try row["key"], try row["body"])
            try body(try? decoder.decode(Created.self, from: response).id, "“\(key)” (\(scope))")
        }
    }

    func lost(in transaction: Transaction) throws -> Finding {
        var finding = Finding()
        var named: [Int64: String] = [:]
        try each(in: transaction) { id, key in
            finding.examined += 1
            guard let id else { return finding.violation(key, "was answered with 201, but the answer names no \(name)") }
            named[id] = key
        }
        guard !named.isEmpty else { return finding }
        try transaction.each(ids) { named[try $0["id"]] = nil }
        for (id, key) in named.sorted(by: { $0.key < $1.key }) {
            finding.violation("\(name) \(id)", "was told to be created under \(key), but does not exist")
        }
        return finding
    }
}
