import Foundation

/// A secret that a test can recognise wherever it turns up.
struct Canary: Sendable, CustomStringConvertible {
    let description: String
    let bytes: Data
    /// The files of the data directory in which it may stand.
    let home: Set<String>

    init(_ description: String, _ text: String, home: Set<String> = []) {
        self.init(description, bytes: Data(text.utf8), home: home)
    }

    init(_ description: String, bytes: Data, home: Set<String> = []) {
        (self.description, self.bytes, self.home) = (description, bytes, home)
    }

    /// A password that nobody else has, and that no encoding of a text changes.
    static func password(_ description: String) -> Canary { Canary(description, "Canary-\(UUID().uuidString)") }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// How it would look in a text: as it is, in base64 of both alphabets, in hexadecimal of both cases.
    var disguises: [Data] {
        let base64 = bytes.base64EncodedString()
        let url = base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        let hexadecimal = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return [bytes] + [base64, url, hexadecimal, hexadecimal.uppercased()].map { Data($0.utf8) }
    }
}

/// Something that a shop has written or said.
struct Evidence: Sendable {
    let place: String
    let bytes: Data

    func holds(_ canary: Canary) -> Bool { canary.disguises.contains { bytes.range(of: $0) != nil } }
    func holds(_ text: String) -> Bool { bytes.range(of: Data(text.utf8)) != nil }

    /// Tokens, whoever made them: two parts of base64url that begin as JSON objects do.
    var tokens: [String] {
        guard holds("eyJ") else { return [] }
        return String(decoding: bytes, as: UTF8.self).matches(of: /eyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}/).map { String($0.0) }
    }

    /// Every file below a folder.
    static func files(in folder: URL) throws -> [Evidence] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted().compactMap { path in
            let file = folder.appending(path: path)
            guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { return nil }
            return Evidence(place: path, bytes: try Data(contentsOf: file))
        }
    }
}
