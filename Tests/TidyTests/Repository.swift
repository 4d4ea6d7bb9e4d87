import Foundation

/// A Swift file of the repository, or an example of one.
struct SourceFile: Sendable {
    /// From the root of the repository: `Sources/Commerce/Money.swift`.
    let path: String
    let text: String
    /// The text taken apart.
    let parts: SwiftText
    /// The modules that the file imports, with the index of the line.
    let imports: [(line: Int, module: String)]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        parts = SwiftText(text)
        imports = Self.imports(in: parts.code)
    }

    var name: String { String(path.split(separator: "/").last ?? "") }
    var components: [String] { path.split(separator: "/").map(String.init) }
    /// The target that a file of `Sources` belongs to.
    var target: String { components.count > 2 ? components[1] == "Executables" ? components[2] : components[1] : "" }
    var isInSources: Bool { components.first == "Sources" }
    func isIn(folder: String) -> Bool { components.dropLast().contains(folder) }

    private static func imports(in code: [String]) -> [(line: Int, module: String)] {
        code.enumerated().compactMap { index, line in
            guard line.utf8.contains(UInt8(ascii: "i")), line.contains("import ") else { return nil }
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let place = words.firstIndex(of: "import"), words[..<place].allSatisfy(Self.isModifier) else { return nil }
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "let", "var", "typealias"]
            let name = words[(place + 1)...].first { !kinds.contains($0) }
            return name.map { (index, String($0.prefix { $0 != "." })) }
        }
    }

    private static func isModifier(_ word: Substring) -> Bool {
        word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
    }
}

/// The repository that these tests stand in.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every Swift file of `Sources` and `Tests`, read once.
    static func swiftFiles() throws -> [SourceFile] { try files.get() }

    private static let files = Result {
        try ["Sources", "Tests"].flatMap { folder in
            try paths(below: folder).filter { $0.hasSuffix(".swift") }.map { path in
                SourceFile(path: path, text: try text(of: path))
            }
        }
    }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The names of the folders in a folder.
    static func folders(in path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: path).path).filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: root.appending(path: path).appending(path: name).path, isDirectory: &isFolder)
                && isFolder.boolValue && !name.hasPrefix(".")
        }.sorted()
    }

    private static func paths(below folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path).map { "\(folder)/\($0)" }.sorted()
    }
}
