public import ChassisStorage

extension JobHandler {
    /// Forgets idempotency keys that are older than their retention: once an hour.
    public static func idempotencyRetention(_ idempotency: Idempotency) -> JobHandler {
        .every(.seconds(3600), name: "idempotency-retention", lease: .seconds(300)) { _ in
            try await idempotency.removeExpired()
        }
    }
}
