import Testing

/// A rule that every file keeps, and why.
///
/// A rule that cannot fail is worth nothing: each brings an example that breaks it and one that keeps it, and is tested against both.
struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    /// Ends the message of a failure: why the rule is there.
    let reason: String
    let broken: SourceFile
    let kept: SourceFile
    /// The indexes of the lines that break the rule; 0 for a file as a whole.
    let violations: @Sendable (SourceFile) -> [Int]

    init(
        _ name: String, because reason: String, broken: (path: String, text: String), kept: (path: String, text: String),
        violations: @escaping @Sendable (SourceFile) -> [Int]
    ) {
        self.name = name
        self.reason = reason
        self.broken = SourceFile(path: broken.path, text: broken.text)
        self.kept = SourceFile(path: kept.path, text: kept.text)
        self.violations = violations
    }

    var testDescription: String { name }

    static let all = importRules + styleRules
}

@Suite("The house is tidy")
struct RuleTests {
    @Test("every file keeps the rule", arguments: Rule.all)
    func kept(rule: Rule) throws {
        for file in try Repository.swiftFiles() {
            for line in rule.violations(file) {
                Issue.record("\(file.path):\(line + 1) breaks “\(rule.name)”: \(rule.reason)")
            }
        }
    }

    @Test("the rule finds what breaks it, and only that", arguments: Rule.all)
    func canFail(rule: Rule) {
        #expect(!rule.violations(rule.broken).isEmpty)
        #expect(rule.violations(rule.kept).isEmpty)
    }

    @Test("the repository is where it is looked for")
    func found() throws {
        let paths = Set(try Repository.swiftFiles().map(\.path))
        #expect(paths.contains("Sources/Commerce/Money.swift") && paths.contains("Tests/TidyTests/Rule.swift"))
    }
}

@Suite("Taking Swift apart")
struct SwiftTextTests {
    @Test("code, comments and strings are told apart, each at its own place")
    func kinds() {
        let text = SwiftText(##"let a = "x // \(b("y")) z" /* c /* d */ e */ + #"q"\#(f)"# // g"##)
        #expect(text.code[0].split(separator: " ").joined(separator: " ") == "let a = b( ) + f")
        #expect(text.code[0].count == text.comments[0].count && text.code[0].count == text.strings[0].count)
        #expect(text.comments[0].split(separator: " ").joined(separator: " ") == "/* c /* d */ e */ // g")
        #expect(text.strings[0].split(separator: " ").joined(separator: " ") == ##""x // \( "y" ) z" #"q"\#( )"#"##)
    }

    @Test("strings of several lines keep the lines apart")
    func lines() {
        let text = SwiftText("let a = \"\"\"\n  // no comment\n  \\(try! b)\n  \"\"\"\nlet c = 1")
        #expect(text.code.count == 5 && text.code[2].contains("try! b") && text.code[4] == "let c = 1")
        #expect(text.comments.allSatisfy { $0.allSatisfy { $0 == " " } })
    }
}
