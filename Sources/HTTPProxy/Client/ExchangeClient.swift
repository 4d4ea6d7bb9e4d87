import NIOCore

/// Whoever sent the request of an exchange, and how it is spoken with: a connection of HTTP/1 (`ClientConnection`), which serves one request after
/// the other, or a stream of HTTP/2 (`HTTP2Stream`), which is one request.
///
/// The exchange says what the response is; how that looks on the wire, and what becomes of the connection, is the client's own business. All is
/// gathered until `flush`.
protocol ExchangeClient: AnyObject {
    /// What the client speaks.
    var version: ProtocolVersion { get }

    /// False while more is waiting to be sent than the client should have; `.clientWritable` tells the exchange of a change.
    var isWritable: Bool { get }

    /// A 1xx head; the one of the response follows.
    func write(informational head: ResponseHead, _ fields: ResponseFields)
    /// The head of the upstream's response.
    func write(_ head: ResponseHead, _ fields: ResponseFields)
    func writeBody(_ piece: ByteBuffer)
    /// The response has no more body. `trailers`: fields that were checked before, as HTTP/1 writes them.
    func writeEnd(trailers: ByteBuffer?)
    /// A whole response.
    func write(_ response: LocalResponse, _ fields: ResponseFields)
    func flush()

    /// The upstream has switched protocols: from now on what the client sends is passed on as it is.
    func beginTunnel(by head: ResponseHead, _ fields: ResponseFields)

    /// Asks for `.timeout` at that time, in place of the one before; nil: never.
    func setDeadline(_ deadline: NIODeadline?)
    /// Takes no more of the request's body until `resume`.
    func pause()
    func resume()

    /// The response is written to its end. `keepsOpen`: the exchange leaves the client ready for another request.
    func exchangeFinished(keepsOpen: Bool)
    /// The response cannot be written to its end: makes sure that the client sees that.
    func cut()
}
