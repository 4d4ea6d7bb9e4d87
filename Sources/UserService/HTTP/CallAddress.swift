import Chassis
import HTTPTypes
import Hummingbird

extension Call {
    /// Where the request comes from; nil when that is not known.
    var clientAddress: ClientAddress? {
        let forwarded = HTTPField.Name("X-Forwarded-For").flatMap { request.headers[$0] }
        return ClientAddress(forwardedFor: forwarded, peer: context.peerAddress)
    }
}
