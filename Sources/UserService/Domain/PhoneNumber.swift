/// A telephone number in the international form of ITU-T E.164: `+`, a country code that does not begin with 0, 7 to 15 digits in all.
///
/// The least length is no rule of the standard; it keeps out what cannot be reached from abroad.
struct PhoneNumber: Sendable, Hashable {
    static let digits = 7...15

    let text: String

    init?(_ text: String) {
        let digits = text.utf8.dropFirst()
        guard text.utf8.first == UInt8(ascii: "+"), Self.digits.contains(digits.count), digits.first != UInt8(ascii: "0"),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        self.text = text
    }
}
