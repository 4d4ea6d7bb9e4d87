@testable import PaymentService

/// A provider that a test holds up: it tells when it is asked for a charge, and answers when it is let.
struct GatedProvider: Sendable {
    private let asked: AsyncStream<Void>
    private let asks: AsyncStream<Void>.Continuation
    private let gate: AsyncStream<Void>
    private let opener: AsyncStream<Void>.Continuation

    init() {
        (asked, asks) = AsyncStream<Void>.makeStream()
        (gate, opener) = AsyncStream<Void>.makeStream()
    }

    /// The same as `inner`, with its charges held up at the gate.
    func holding(_ inner: PaymentProvider) -> PaymentProvider {
        PaymentProvider(
            name: inner.name,
            charge: { charge in
                asks.yield()
                for await _ in gate {}
                return try await inner.charge(charge)
            }, refund: inner.refund, read: inner.read)
    }

    /// Returns once the provider has been asked.
    func isAsked() async {
        for await _ in asked { return }
    }

    func open() { opener.finish() }
}
