/// The parts of Souk that run as a process of their own, by the names they carry in logs, tokens, events and on the command line.
public enum ServiceName: String, Sendable, CaseIterable, Codable {
    case gateway = "api-gateway"
    case users = "user-service"
    case products = "product-service"
    case orders = "order-service"
    case payments = "payment-service"
    case notifications = "notification-service"

    /// The port of this service is the port base plus this: 3000 for the gateway, 3001 for users, and so on.
    public var portOffset: Int {
        switch self {
        case .gateway: 0
        case .users: 1
        case .products: 2
        case .orders: 3
        case .payments: 4
        case .notifications: 5
        }
    }

    /// The environment variable that tells the others where this service is, for example `USER_SERVICE_URL`.
    public var addressVariable: String {
        switch self {
        case .gateway: "GATEWAY_URL"
        case .users: "USER_SERVICE_URL"
        case .products: "PRODUCT_SERVICE_URL"
        case .orders: "ORDER_SERVICE_URL"
        case .payments: "PAYMENT_SERVICE_URL"
        case .notifications: "NOTIFICATION_SERVICE_URL"
        }
    }
}
