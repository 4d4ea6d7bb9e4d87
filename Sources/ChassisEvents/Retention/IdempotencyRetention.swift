public import ChassisStorage

extension Retention {
    /// Forgets idempotency keys with their responses.
    public static func idempotencyKeys(of idempotency: Idempotency) -> Retention {
        Retention("idempotency-retention", keeping: idempotency.retention) { try Idempotency.removeOldest(before: $0, limit: $1, in: $2) }
    }
}
