import Chassis
import PaymentService

/// The payment provider as payment-service meets it: a company elsewhere, which does not die with us, and whose answers do not always arrive.
struct SimulatedProvider: Sendable {
    /// The company's own book.
    let company: PaymentProvider
    let incarnation: Incarnation
    let world: World

    var provider: PaymentProvider {
        PaymentProvider(
            name: company.name,
            charge: { charge in try await self.ask("charge \(charge.key)") { try await company.charge(charge) } },
            refund: { refund in try await self.ask("refund \(refund.key)") { try await company.refund(refund) } },
            read: company.read)
    }

    private func ask<Answer>(_ what: String, _ act: () async throws -> Answer) async throws -> Answer {
        try incarnation.checkAlive()
        if strikes(.providerAway, what) { throw PaymentProviderError.unavailable }
        if incarnation.process.dies(at: .crashBeforeProvider) { throw ProcessIsDead() }
        let isSlow = strikes(.providerSlow, what)
        let slowness = world.generator.duration(in: .seconds(1)...(.seconds(60)))
        let actsLate = world.generator.chance(0.5)
        if isSlow, actsLate { try await world.clock.sleep(for: slowness) }
        let answer = try await act()
        if isSlow, !actsLate { try await world.clock.sleep(for: slowness) }
        if incarnation.process.dies(at: .crashAfterProvider) { throw ProcessIsDead() }
        try incarnation.checkAlive()
        if strikes(.providerAnswerLost, what) { throw PaymentProviderError.answerLost }
        return answer
    }

    private func strikes(_ point: FaultPoint, _ what: String) -> Bool {
        guard world.faults.strikes(point) else { return false }
        world.trace.note("\(point.rawValue): \(what)")
        return true
    }
}
