import ChassisStorage

/// Every step of the order database's schema, in order.
enum OrderMigrations {
    static let all: [Migration] = [orders, chargebacks, erasedUsers]
}
