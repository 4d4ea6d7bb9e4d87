import ChassisEvents
import ChassisStorage
import Commerce

// What the provider has told of chargebacks, each written in the one transaction of its notice: the id of the notice, the chargeback, the payment's new
// state, the booking, the event.

extension PaymentStore {
    /// Writes down that a notice was taken; false when it was before.
    func admit(_ event: PaymentProvider.Event, of provider: String, in transaction: Transaction) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO provider_events (provider, id, received_at) VALUES (\(provider), \(event.id), \(now())) ON CONFLICT DO NOTHING
            """) == 1
    }

    /// Forgets notices that no provider will repeat any more.
    static var noticeRetention: Retention {
        Retention("provider-event-retention", keeping: .seconds(90 * 86_400)) { cutoff, limit, transaction in
            try transaction.execute(
                """
                DELETE FROM provider_events WHERE (provider, id) IN (
                    SELECT provider, id FROM provider_events WHERE received_at < \(cutoff) ORDER BY received_at LIMIT \(limit)
                )
                """)
        }
    }

    /// The bank has taken `amount` of a charge. Both references are the provider's.
    ///
    /// - Throws: `PaymentError.notKnownYet`, `.chargebackExceedsCaptured`.
    func chargeBack(_ amount: Money, of charge: String, as reference: String, in transaction: Transaction) throws {
        guard let payment = try payment(chargedAs: charge, in: transaction) else { throw PaymentError.notKnownYet }
        let (after, effects) = try payment.chargingBack(amount)
        let id: ChargebackID? = try transaction.value(
            """
            INSERT INTO chargebacks (payment_id, provider_reference, amount, currency, reversed, created_at) VALUES (
                \(payment.id), \(reference), \(amount.minorUnits), \(amount.currency.code), \(false), \(now())
            ) RETURNING id
            """)
        guard let id else { throw StorageError.misuse("INSERT … RETURNING gave no row") }
        try book(.chargeback(id, of: payment.id, amount), in: transaction)
        try save(after, effects, in: transaction)
    }

    /// The bank has given back what this chargeback had taken.
    ///
    /// - Throws: `PaymentError.notKnownYet`.
    func reverse(_ reference: String, in transaction: Transaction) throws {
        guard let chargeback = try chargeback(reference, in: transaction),
            let payment = try payment(chargeback.paymentID, in: transaction)
        else { throw PaymentError.notKnownYet }
        guard !chargeback.isReversed else { return }
        try transaction.execute("UPDATE chargebacks SET reversed = \(true) WHERE id = \(chargeback.id)")
        try book(.reversal(chargeback.id, of: payment.id, chargeback.amount), in: transaction)
        let (after, effects) = try payment.reversing(chargeback.amount)
        try save(after, effects, in: transaction)
    }

    private func chargeback(_ reference: String, in transaction: Transaction) throws -> Chargeback? {
        try transaction.first("SELECT id, payment_id, amount, currency, reversed FROM chargebacks WHERE provider_reference = \(reference)")
        {
            row in
            Chargeback(
                id: try row["id"], paymentID: try row["payment_id"],
                amount: Money(minorUnits: try row["amount"], currency: try row["currency"]), isReversed: try row["reversed"])
        }
    }
}
