import Chassis
import ChassisStorage

extension ProductStore {
    /// Fills an empty catalog with the demo products, once in the life of a database: a shop whose owner archived them all stays empty.
    ///
    /// The marker row makes two services that start on one new database take turns; the second finds it and adds nothing.
    ///
    /// - Returns: how many products were added.
    @discardableResult
    func loadDemoCatalog() async throws -> Int {
        try await database.write { transaction in
            let marked = try transaction.execute(
                "INSERT INTO demo_catalog (marker, loaded_at) VALUES (1, \(time.now)) ON CONFLICT (marker) DO NOTHING")
            guard marked == 1 else { return 0 }
            guard try transaction.value("SELECT count(*) FROM products", as: Int64.self) == 0 else { return 0 }
            for product in DemoCatalog.products { _ = try add(product, in: transaction) }
            return DemoCatalog.products.count
        }
    }
}
