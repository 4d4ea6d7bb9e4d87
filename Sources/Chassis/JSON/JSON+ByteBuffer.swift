public import NIOCore

/// JSON in and out of the buffers that the network gives and takes.
extension JSON {
    /// - Throws: `EncodingError`; see ``encodedBytes(_:)``.
    public static func encode(_ value: some Encodable) throws -> ByteBuffer {
        ByteBuffer(bytes: try encodedBytes(value))
    }

    /// Decodes the readable bytes; the buffer is not consumed.
    /// - Throws: ``JSONError`` when the text is no JSON, `DecodingError` when it is not what `type` asks for.
    public static func decode<Value: Decodable>(_ type: Value.Type = Value.self, from buffer: ByteBuffer) throws -> Value {
        try decode(type, from: [UInt8](buffer.readableBytesView))
    }
}

extension JSONValue {
    /// Reads the readable bytes; the buffer is not consumed.
    public static func parse(_ buffer: ByteBuffer) throws(JSONError) -> JSONValue {
        try parse([UInt8](buffer.readableBytesView))
    }
}
