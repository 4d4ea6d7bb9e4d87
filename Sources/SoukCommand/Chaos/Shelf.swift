import Chassis
import HTTPTypes

/// What is for sale.
struct Shelf: Sendable {
    /// Runs out, and is restocked now and then.
    let scarce: Int64
    let plenty: [Int64]

    var products: [Int64] { plenty + [scarce] }

    /// Fills it while the shop is well.
    static func filled(by administrator: Visitor) async throws -> Shelf {
        Shelf(
            scarce: try await add("Scarce thing", stock: 20, by: administrator),
            plenty: [
                try await add("Common thing", stock: 1_000_000, by: administrator),
                try await add("Other thing", stock: 1_000_000, by: administrator),
            ])
    }

    private static func add(_ name: String, stock: Int64, by administrator: Visitor) async throws -> Int64 {
        let body: JSONValue = .object(["name": .string(name), "price": .integer(12), "stock": .integer(stock)])
        let reply = try await administrator.ask(.post, "/api/products", body)
        guard case .answered(.created, let data) = reply else { throw ChaosError.unprepared("the shelf cannot be filled: \(reply)") }
        return try JSON.decode(Product.self, from: data).id
    }

    private struct Product: Decodable {
        let id: Int64
    }
}
