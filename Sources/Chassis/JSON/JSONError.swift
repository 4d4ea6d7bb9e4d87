/// Why a text is no JSON that Souk reads, and where.
///
/// Its description never repeats the text: what was wrong in a body may be a secret in a log.
public struct JSONError: Error, Hashable, CustomStringConvertible {
    /// How many bytes stand before the mistake.
    public let byteOffset: Int
    let reason: Reason

    enum Reason: String {
        case valueExpected = "a value is expected"
        case nameExpected = "a member's name is expected"
        case colonExpected = "a colon is expected"
        case commaOrBracketExpected = "a comma or the end of the array is expected"
        case commaOrBraceExpected = "a comma or the end of the object is expected"
        case endExpected = "something follows the end"
        case nestedTooDeep = "the nesting is too deep"
        case duplicateName = "a name stands twice in one object"
        case stringNotEnded = "a string does not end"
        case controlCharacter = "a control character stands in a string"
        case wrongEscape = "an escape is none of JSON's"
        case loneSurrogate = "a surrogate stands without its other half"
        case notUTF8 = "the text is not UTF-8"
        case wrongNumber = "a number is not written as JSON writes it"
        case numberTooLong = "a number is too long"
        case byteOrderMark = "a byte order mark stands before the text"
        case textTooLong = "the text is too long"
    }

    public var description: String { "not valid JSON at byte \(byteOffset): \(reason.rawValue)" }
}
