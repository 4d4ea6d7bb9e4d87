import NIOCore

/// The head of a request or a response: bytes, and where the fields are in them.
protocol MessageHead {
    var bytes: ByteBuffer { get }
    var fields: [FieldEntry] { get }
}

extension RequestHead: MessageHead {}
extension ResponseHead: MessageHead {}

extension MessageHead {
    /// Calls `body` with the value of each field of this name, given in lower case, in order.
    func forEachValue(of lowercase: StaticString, _ body: (UnsafeRawBufferPointer) -> Void) {
        bytes.withUnsafeReadableBytes { raw in
            for field in fields where raw[part: field.name].spells(lowercase) { body(raw[part: field.value]) }
        }
    }

    /// The value of the only field of this name, as `read` understands it; nil when there is none, more than one, or `read` gives nil.
    func onlyValue<Value>(of lowercase: StaticString, _ read: (UnsafeRawBufferPointer) -> Value?) -> Value? {
        var (value, count): (Value?, Int) = (nil, 0)
        forEachValue(of: lowercase) {
            value = read($0)
            count += 1
        }
        return count == 1 ? value : nil
    }
}
