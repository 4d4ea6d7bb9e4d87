import Chassis
import Commerce
import Contracts
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import OrderService

@Suite struct ProductsOverHTTPTests {
    @Test("reservations are posted as one batch, and their outcomes come back in order")
    func batch() async throws {
        let outcomes: [ReservationOutcome] = [.ended, .mismatch, .insufficientStock(try #require(ProductID(rawValue: 3)), available: 2)]
        let network = Network { request in
            #expect(request.method == .post && request.url == "http://products/internal/reservations")
            let batch = try JSONDecoder().decode(ReservationBatch.self, from: try #require(request.body))
            #expect(batch.reservations.map(\.id) == ["a", "b", "c"])
            return (.ok, try JSONEncoder().encode(ReservationReplies(outcomes: outcomes)))
        }
        let requests = ["a", "b", "c"].map { ReservationRequest(id: $0, lines: []) }
        #expect(try await network.products.reserve(requests) == outcomes)
    }

    @Test("a service that is away, busy or broken is told apart from one that does not understand")
    func errors() async throws {
        for (status, expected) in [
            (HTTPResponse.Status.serviceUnavailable, ProductsError.unavailable), (.internalServerError, .unavailable),
            (.tooManyRequests, .unavailable), (.badRequest, .malformed), (.notFound, .malformed), (.ok, .malformed),
        ] {
            let network = Network { _ in (status, Data("{}".utf8)) }
            await #expect(throws: expected, "\(status)") { try await network.products.reserve([ReservationRequest(id: "a", lines: [])]) }
        }
        let nobody = Network(transport: HTTPTransport { _, _ throws(TransportError) in throw .notConnected })
        await #expect(throws: ProductsError.unavailable) { try await nobody.products.reserve([ReservationRequest(id: "a", lines: [])]) }
    }

    @Test("a release names its reservation in the path and accepts an empty answer")
    func release() async throws {
        let network = Network { request in
            #expect(request.method == .delete && request.url == "http://products/internal/reservations/a%2Fb")
            return (.noContent, Data())
        }
        let batcher = ReservationBatcher(time: .system, send: network.products.reserve)
        try await network.products.products(through: batcher).release("a/b")
    }

    @Test("a commitment names its reservation in the path and its order in the body", arguments: [true, false])
    func commit(isCommitted: Bool) async throws {
        let order = try #require(OrderID(rawValue: 7))
        let network = Network { request in
            #expect(request.method == .post && request.url == "http://products/internal/reservations/a%2Fb/commit")
            #expect(try JSON.decode(ReservationCommitment.self, from: request.body ?? Data()).orderID == order)
            return (.ok, try JSON.encodedData(ReservationCommitted(isCommitted: isCommitted)))
        }
        let batcher = ReservationBatcher(time: .system, send: network.products.reserve)
        #expect(try await network.products.products(through: batcher).commit("a/b", order) == isCommitted)
    }
}

/// A network on which only product-service is, as a closure.
private struct Network {
    let products: ProductsOverHTTP

    init(answer: @escaping @Sendable (OutboundRequest) throws -> (HTTPResponse.Status, Data)) {
        self.init(
            transport: HTTPTransport { request, _ throws(TransportError) in
                do {
                    let (status, body) = try answer(request)
                    return InboundResponse(status: status, headers: [.contentType: "application/json"], body: body)
                } catch {
                    throw .invalidRequest
                }
            })
    }

    init(transport: HTTPTransport) {
        // Pauses between retries take no time.
        let time = TimeSource(now: { ManualTime.start }, monotonic: { .zero }, sleep: { _ in })
        products = ProductsOverHTTP(
            client: ServiceClient(
                to: .products, baseURL: "http://products", transport: transport, credentials: nil, time: time, randomness: .system))
    }
}
