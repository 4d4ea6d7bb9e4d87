import NIOCore

@testable import HTTPProxy

/// One request as the proxy reads it, from input that comes in pieces.
struct RequestReading {
    enum Outcome: Equatable {
        case incomplete
        case refused(ProxyFailure)
        case accepted(ReferenceRequest)
    }

    static let limits = HeadLimits(maximumBytes: 4096, maximumFields: 20)

    private(set) var outcome = Outcome.incomplete
    private(set) var head: RequestHead?
    private var parser = HeadParser(limits: limits)
    private var inbound = ByteBuffer()
    private var decoder: BodyDecoder?
    private var body: [UInt8] = []
    private var received = 0

    /// - Parameter cuts: where the pieces end, in order.
    init(_ input: [UInt8], cuts: [Int]) {
        var start = 0
        for end in cuts + [input.count] where outcome == .incomplete {
            inbound.writeBytes(input[start..<end])
            received = end
            start = end
            read()
        }
    }

    private mutating func read() {
        if decoder == nil { readHead() }
        while outcome == .incomplete, var decoder {
            let output = decoder.next(&inbound)
            self.decoder = decoder
            switch output {
            case .incomplete: return
            case .data(let piece): body += Array(piece.readableBytesView)
            case .malformed: outcome = .refused(.malformedRequest)
            case .end: accept()
            }
        }
    }

    private mutating func readHead() {
        switch inbound.withUnsafeReadableBytes({ parser.parse($0) }) {
        case .incomplete: return
        case .malformed: outcome = .refused(.malformedRequest)
        case .tooLarge: outcome = .refused(.headTooLarge)
        case .complete(let length):
            guard let bytes = inbound.readSlice(length: length) else { return }
            switch RequestHead.read(bytes, fields: parser.fields, startLineLength: parser.startLineLength) {
            case .failure(let failure): outcome = .refused(failure)
            case .success(let head):
                self.head = head
                decoder = BodyDecoder(framing: head.framing, allowsChunkExtensions: false)
            }
        }
    }

    private mutating func accept() {
        guard let head else { return }
        var request = ReferenceRequest()
        request.method = head.method
        request.body = body
        request.length = received - inbound.readableBytes
        request.framing =
            switch head.framing {
            case .none, .untilClose: .none
            case .length(let count): .length(count)
            case .chunked: .chunked
            }
        outcome = .accepted(request)
    }
}

extension ReferenceRequest {
    init() {}
}
