import Chassis
import Foundation
import HTTPTypes
import Hummingbird
import NIOFoundationCompat

/// Where the payment provider tells what happens without being asked for. Anybody may call; only what the provider has signed counts.
struct WebhooksController: Controller {
    let notices: ProviderNotices

    var routes: [Route] {
        [.post("/api/payments/webhooks/{provider}", .anyone, receive)]
    }

    private struct Receipt: Encodable {
        let received = true
    }

    @Sendable private func receive(_ call: Call) async throws -> Response {
        guard try call.parameter("provider") == notices.provider.name else { throw Problem.notFound("Provider not found") }
        let body = Data(buffer: try await call.jsonBytes())
        try await notices.receive(PaymentProvider.Notice(headers: call.request.headers, body: body))
        return try .json(Receipt())
    }
}
