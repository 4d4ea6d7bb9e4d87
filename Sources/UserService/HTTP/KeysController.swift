import Chassis
import HTTPTypes
import Hummingbird

/// The public keys, at the address that RFC 8615 and OpenID Connect Discovery made customary.
struct KeysController: Controller {
    let keys: SigningKeyRing

    var routes: [Route] {
        [.get("/.well-known/jwks.json", .anyone, show)]
    }

    /// To be kept for five minutes: a third of the time for which a new key is shown before it signs.
    private func show(_ call: Call) async throws -> Response {
        try .json(try await keys.published(), headers: [.cacheControl: "public, max-age=300"])
    }
}
