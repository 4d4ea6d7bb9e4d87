public import ChassisStorage
public import Commerce
public import Contracts

/// The databases of one shop, as far as they are at hand.
public struct Books: Sendable {
    public var users: Database?
    public var products: Database?
    public var orders: Database?
    public var payments: Database?
    public var notifications: Database?
    /// The moment by which it is judged whether work is late; nil when nobody is at work, so that nothing can be.
    public var now: Timestamp?

    public init(
        users: Database? = nil, products: Database? = nil, orders: Database? = nil, payments: Database? = nil,
        notifications: Database? = nil,
        now: Timestamp? = nil
    ) {
        self.users = users
        self.products = products
        self.orders = orders
        self.payments = payments
        self.notifications = notifications
        self.now = now
    }

    /// The services that have a database, in the order in which a person would name them.
    public static let services: [ServiceName] = [.users, .products, .orders, .payments, .notifications]

    /// The database of a service; nil where it is missing, and for the gateway, which has none.
    public subscript(service: ServiceName) -> Database? {
        get {
            switch service {
            case .users: users
            case .products: products
            case .orders: orders
            case .payments: payments
            case .notifications: notifications
            case .gateway: nil
            }
        }
        set {
            switch service {
            case .users: users = newValue
            case .products: products = newValue
            case .orders: orders = newValue
            case .payments: payments = newValue
            case .notifications: notifications = newValue
            case .gateway: break
            }
        }
    }

    /// Reads in one snapshot of one database.
    ///
    /// - Throws: what `body` throws; `StorageError`, also when that database is missing.
    func read<Result: Sendable>(
        _ service: ServiceName, _ body: @escaping @Sendable (Transaction) throws -> Result
    ) async throws -> Result {
        guard let database = self[service] else { throw StorageError.unavailable }
        return try await database.read(body)
    }
}
