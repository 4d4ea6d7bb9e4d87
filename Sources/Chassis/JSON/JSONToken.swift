/// The kind and the place of one value, or of one member's name; what it says stays in the text.
///
/// Tokens stand in the order of the text: a container before what it holds, a name before its value.
struct JSONToken {
    enum Kind: UInt8 {
        case null, no, yes
        /// A number without fraction and exponent.
        case integer
        /// A number with a fraction, an exponent or both.
        case number
        case string
        case array, object
    }

    var kind: Kind
    /// Of a string: an escape stands in it.
    var hasEscapes = false
    /// Of a string: neither an escape nor a character beyond ASCII stands in it, so that its bytes are all there is to compare.
    var isPlain = false
    /// Where it begins in the text; of a string, behind the quote.
    var start: UInt32
    /// Where it ends in the text; of a string, before the quote.
    var end: UInt32
    /// The token that comes after it and all that it holds.
    var next: UInt32
    /// How many elements or members a container has.
    var count: UInt32 = 0

    var range: Range<Int> { Int(start)..<Int(end) }
    /// Where the value's own text lies, with the quotes of a string.
    var textRange: Range<Int> { kind == .string ? Int(start) - 1..<Int(end) + 1 : range }
}
