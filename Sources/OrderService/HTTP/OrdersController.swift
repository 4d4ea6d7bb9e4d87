import Chassis
import ChassisStorage
import Commerce
import Contracts
import HTTPTypes
import Hummingbird

/// Orders, as their customers and the shop's administrators see them.
struct OrdersController: Controller {
    let checkout: Checkout
    let orders: Orders
    let following: OrderFollowing

    var routes: [Route] {
        [
            .post("/api/orders", .users, place),
            .get("/api/orders", .users, list),
            .get("/api/orders/user/{userId}", .users, history),
            .get("/api/orders/{id}", .users, get),
            .get("/api/orders/{id}/events", .users, follow),
            .post("/api/orders/{id}/cancel", .users, cancel),
            .post("/api/orders/{id}/ship", .administrators, ship),
            .post("/api/orders/{id}/deliver", .administrators, deliver),
        ]
    }

    private func place(_ call: Call) async throws -> Response {
        try await checkout.place(try await call.body(), call)
    }

    private func list(_ call: Call) async throws -> Response {
        let page = try await orders.all(try status(call), for: try call.user, try call.pageRequest())
        return try .page(page.map(OrderView.init), of: call)
    }

    private func history(_ call: Call) async throws -> Response {
        let owner = try call.id("userId", of: UserEntity.self, orElse: OrderError.notFound.problem)
        return try .page(try await orders.history(of: owner, for: try call.user, try call.pageRequest()).map(OrderView.init), of: call)
    }

    private func get(_ call: Call) async throws -> Response {
        let (order, timeline) = try await orders.order(try id(call), for: try call.user)
        return try .json(OrderDetailsView(order, timeline))
    }

    private func follow(_ call: Call) async throws -> Response {
        try await following.response(to: try id(call), call)
    }

    private func cancel(_ call: Call) async throws -> Response { try await change(call, .cancel) }

    private func ship(_ call: Call) async throws -> Response {
        let (order, timeline) = try await orders.ship(try id(call), by: try call.user)
        return try .json(OrderDetailsView(order, timeline))
    }

    private func deliver(_ call: Call) async throws -> Response { try await change(call, .deliver) }

    private func change(_ call: Call, _ trigger: OrderTrigger) async throws -> Response {
        let (order, timeline) = try await orders.change(try id(call), trigger, by: try call.user)
        return try .json(OrderDetailsView(order, timeline))
    }

    private func id(_ call: Call) throws(Problem) -> OrderID {
        try call.id(of: OrderEntity.self, orElse: OrderError.notFound.problem)
    }

    private func status(_ call: Call) throws(Problem) -> OrderStatus? {
        guard let text = call.query("status") else { return nil }
        guard let status = OrderStatus(rawValue: text) else {
            throw .invalid("?status", "must be one of \(OrderStatus.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return status
    }
}
