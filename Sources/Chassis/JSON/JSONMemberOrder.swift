/// Puts the members of a dictionary into the order of their names.
///
/// A dictionary encodes its members as its hash table has them, in an order of its own in every process; and the same value must be the same
/// text. So the places of the members are written down on the way, and when the dictionary closes, its bytes are put together anew.
struct JSONMemberOrder {
    private struct Member {
        let name: String
        /// Where the member begins in the text.
        let offset: Int
    }

    private var members: [Member] = []

    mutating func add(_ name: String, at offset: Int) {
        members.append(Member(name: name, offset: offset))
    }

    /// Forgets the members that begin at `offset` or behind it.
    mutating func removeAll(from offset: Int) {
        members.removeAll { $0.offset >= offset }
    }

    /// Sorts what has been written from the first member to the end of the text.
    func apply(to writer: inout JSONWriter) {
        guard let start = members.first?.offset, members.count > 1 else { return }
        var ranges: [(name: String, range: Range<Int>)] = []
        ranges.reserveCapacity(members.count)
        for index in members.indices {
            // A comma stands before the next one.
            let end = index + 1 < members.count ? members[index + 1].offset - 1 : writer.bytes.count
            ranges.append((members[index].name, members[index].offset..<end))
        }
        ranges.sort { $0.name < $1.name }
        var sorted: [UInt8] = []
        sorted.reserveCapacity(writer.bytes.count - start)
        for (_, range) in ranges {
            if !sorted.isEmpty { sorted.append(UInt8(ascii: ",")) }
            sorted.append(contentsOf: writer.bytes[range])
        }
        writer.bytes.replaceSubrange(start..., with: sorted)
    }
}

// MARK: - Knowing a dictionary

extension JSONMemberOrder {
    /// The type of the keys with which `Dictionary` opens its container: private to the standard library, so a dictionary is asked for it. A
    /// comparison with it costs next to nothing, while asking each value whether it is a dictionary costs a dynamic cast each.
    static let dictionaryKey: ObjectIdentifier? = {
        let probe = KeyProbe()
        try? ["": 0].encode(to: probe)
        return probe.finding.key
    }()

    private final class Finding {
        var key: ObjectIdentifier?
    }

    /// An encoder that only looks at the type of the keys; what it is told to encode goes nowhere.
    private struct KeyProbe: Encoder {
        let finding = Finding()
        private let nowhere = JSONPlace(session: JSONEncodingSession(), depth: 1, number: .max)

        var codingPath: [any CodingKey] { [] }
        var userInfo: [CodingUserInfoKey: Any] { [:] }

        func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
            finding.key = ObjectIdentifier(type)
            return KeyedEncodingContainer(JSONKeyedEncoding<Key>(container: nowhere))
        }
        func unkeyedContainer() -> any UnkeyedEncodingContainer { nowhere.unkeyedContainer() }
        func singleValueContainer() -> any SingleValueEncodingContainer { nowhere }
    }
}
