import Chassis
import Commerce
import Contracts
import HTTPTypes

/// product-service by its internal HTTP API.
struct ProductsOverHTTP: Sendable {
    let client: ServiceClient

    /// The port, with reservations that wait at the same moment sent as one request.
    func products(through batcher: ReservationBatcher) -> Products {
        Products(
            reserve: { request async throws(ProductsError) in try await batcher.reserve(request) },
            release: { id async throws(ProductsError) in try await release(id) },
            commit: { id, order async throws(ProductsError) in try await commit(id, for: order) })
    }

    /// `POST /internal/reservations`, which may be repeated: each reservation carries its id.
    func reserve(_ requests: [ReservationRequest]) async throws(ProductsError) -> [ReservationOutcome] {
        do {
            return try await client.post(
                "/internal/reservations", body: ReservationBatch(reservations: requests), idempotent: true, as: ReservationReplies.self
            ).outcomes
        } catch {
            throw ProductsError(error)
        }
    }

    private func release(_ id: String) async throws(ProductsError) {
        do {
            _ = try await client.send(.delete, "/internal/reservations/\(id)", idempotent: true, as: NoReply.self)
        } catch {
            throw ProductsError(error)
        }
    }

    private func commit(_ id: String, for order: OrderID) async throws(ProductsError) -> Bool {
        do {
            return try await client.post(
                "/internal/reservations/\(id)/commit", body: ReservationCommitment(orderID: order), idempotent: true,
                as: ReservationCommitted.self
            ).isCommitted
        } catch {
            throw ProductsError(error)
        }
    }
}

extension ProductsError {
    init(_ error: ServiceClientError) {
        self =
            switch error {
            case .unavailable: .unavailable
            case .timedOut: .timedOut
            case .cancelled: .cancelled
            case .problem where error.isTransient: .unavailable
            case .problem, .malformedReply, .malformedRequest: .malformed
            }
    }
}
