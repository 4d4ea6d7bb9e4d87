/// A member's name or an element's index in the path of an error.
struct JSONKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }

    /// The member under which a class leaves what its superclass encodes.
    static let superclass = JSONKey(stringValue: "super")
}
