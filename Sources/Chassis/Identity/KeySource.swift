/// Where the public keys of the user service come from.
public struct KeySource: Sendable {
    let fetch: @Sendable () async throws -> JSONWebKeySet

    /// - Parameter fetch: gets the key set of this moment within a few seconds, or throws.
    public init(fetch: @escaping @Sendable () async throws -> JSONWebKeySet) {
        self.fetch = fetch
    }

    /// Keys that are known already: the user service's own, and those of tests.
    public static func fixed(_ keys: JSONWebKeySet) -> KeySource {
        KeySource { keys }
    }

    /// The keys that the user service publishes.
    public static func service(_ users: ServiceClient) -> KeySource {
        KeySource { try await users.get("/.well-known/jwks.json", timeout: .seconds(2), as: JSONWebKeySet.self) }
    }
}
