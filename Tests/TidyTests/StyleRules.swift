extension Rule {
    static let styleRules: [Rule] = [
        Rule(
            "a main has at most 30 lines",
            because: "it reads settings and runs; what is longer belongs where tests reach it.",
            broken: ("Sources/Executables/a/main.swift", String(repeating: "run()\n", count: 31)),
            kept: ("Sources/Executables/a/main.swift", String(repeating: "run()\n", count: 30))
        ) { file in
            file.name == "main.swift" && file.lineCount > 30 ? [0] : []
        },
        Rule(
            "a file of Sources has at most 400 lines",
            because: "past that there is a second idea in it.",
            broken: ("Sources/A/A.swift", String(repeating: "\n", count: 401)),
            kept: ("Sources/A/A.swift", String(repeating: "\n", count: 400))
        ) { file in
            file.isInSources && file.lineCount > 400 ? [0] : []
        },
        Rule(
            "no try!, no as!",
            because: "an error that ends the process ends every request in it.",
            broken: ("Sources/A/A.swift", "let a = try! b()"), kept: ("Sources/A/A.swift", "let a = try b() // never try!")
        ) { file in
            file.isInSources ? file.codeLines { $0.contains("try!") || $0.contains("as!") } : []
        },
        Rule(
            "nothing is unwrapped by force",
            because: "a nil ends the process. The name of a header field in a literal may be: it fails at the first use, in every test.",
            broken: ("Sources/A/A.swift", "let a = b.first!\nreturn a"),
            kept: ("Sources/A/A.swift", "static let link = HTTPField.Name(\"Link\")!\nif !a, b != c {}")
        ) { file in
            file.isInSources ? file.codeLines { $0.unwrapsByForce && !$0.contains("HTTPField.Name(") } : []
        },
        Rule(
            "unchecked Sendable is explained",
            because: "the compiler was told to look away: the next reader must learn in the lines before why that is safe.",
            broken: ("Sources/A/A.swift", "\nfinal class A: @unchecked Sendable {}"),
            kept: ("Sources/A/A.swift", "/// Touched on one thread only.\nfinal class A: @unchecked Sendable {}")
        ) { file in
            guard file.isInSources else { return [] }
            let comments = file.parts.comments
            return file.codeLines { $0.contains("@unchecked Sendable") || $0.contains("nonisolated(unsafe)") }.filter { line in
                !comments[max(0, line - 3)...line].contains { $0.contains { !$0.isWhitespace } }
            }
        },
        Rule(
            "nothing is left for later",
            because: "what is missing is an issue with an owner, not a word in a file.",
            // Written in two pieces, so that this file keeps its own rule.
            broken: ("Sources/A/A.swift", "// TO" + "DO: later"), kept: ("Sources/A/A.swift", "// Later rows win.")
        ) { file in
            let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK"]
            return file.parts.comments.indexes { comment in words.contains { comment.contains($0) } }
        },
        Rule(
            "nothing prints",
            because: "standard output belongs to the structured log; only a command line speaks to a person, and a start that shows help.",
            broken: ("Sources/OrderService/A.swift", "print(order)"), kept: ("Sources/SoukCommand/A.swift", "print(order)")
        ) { file in
            let speaks =
                ["SoukCommand", "Executables"].contains { file.isIn(folder: $0) } || file.path == "Sources/Chassis/Runtime/Launch.swift"
            return file.isInSources && !speaks
                ? file.codeLines { $0.hasCall(of: "print") || $0.hasCall(of: "debugPrint") || $0.hasCall(of: "dump") } : []
        },
        Rule(
            "no type is called Manager, Helper or Utils",
            because: "such a name says that nobody knows what it does.",
            broken: ("Sources/A/A.swift", "struct OrderManager {}"), kept: ("Sources/A/A.swift", "struct OrderStore {} // no Manager")
        ) { file in
            guard ["Manager", "Helper", "Util"].contains(where: { file.text.contains($0) }) else { return [] }
            return file.codeLines { line in
                line.declaredTypes.contains { name in ["Manager", "Helper", "Util"].contains { name.contains($0) } }
            }
        },
        Rule(
            "no file is empty",
            because: "a placeholder promises what is not there.",
            broken: ("Sources/A/A.swift", "import Foundation\n\n// Comes soon.\n"),
            kept: ("Sources/A/A.swift", "import Foundation\nstruct A {}")
        ) { file in
            let imports = Set(file.imports.map(\.line))
            let code = file.parts.code.enumerated().filter { !imports.contains($0.offset) }
            return code.contains { $0.element.contains { !$0.isWhitespace } } ? [] : [0]
        },
        Rule(
            "no SQL is concatenated",
            because: "every value is bound by interpolation into `SQL`; a way around it is a way in.",
            broken: ("Sources/OrderService/Storage/A.swift", #"let query = SQL(text: "SELECT " + name)"#),
            kept: ("Sources/OrderService/Storage/A.swift", #"let query: SQL = "SELECT \(id)""#)
        ) { file in
            guard file.isInSources else { return [] }
            if file.target == "ChassisStorage" {
                // Here `SQL` is made; nothing public may make it of a text that is not a literal.
                return file.name.hasPrefix("SQL")
                    ? file.codeLines { $0.contains("public") && $0.contains("literal") && $0.contains(": String") } : []
            }
            return file.codeLines { $0.contains("SQL(") || $0.contains("sqlite3_") || $0.contains("unsafeSQL") }
        },
        Rule(
            "time comes in",
            because: "tests and the simulation own the clock: whoever reads another one cannot be tested.",
            broken: ("Sources/OrderService/A.swift", "let now = Date()"),
            kept: ("Sources/Chassis/Runtime/TimeSource.swift", "let now = Date()")
        ) { file in
            // Group commit measures how long a batch holds the disk, and the condition how long it has been well: the machine's time, which decides
            // nothing that is stored.
            let clockOwners = [
                "Sources/Chassis/Runtime/TimeSource.swift", "Sources/ChassisStorage/SQLite/GroupCommit.swift",
                "Sources/ChassisStorage/SQLite/DatabaseCondition.swift",
            ]
            let ownClock = clockOwners.contains(file.path) || ["SoukCommand", "HTTPProxy", "ChassisTesting"].contains(file.target)
            let clocks = ["Date()", "Date.now", "ContinuousClock", "SuspendingClock", "DispatchTime", "Task.sleep"]
            return file.isInSources && !ownClock ? file.codeLines { line in clocks.contains { line.contains($0) } } : []
        },
    ]
}

extension SourceFile {
    /// The number of lines, as an editor counts them.
    fileprivate var lineCount: Int { text.split(separator: "\n", omittingEmptySubsequences: false).count - (text.hasSuffix("\n") ? 1 : 0) }

    /// The indexes of the lines whose code `isWrong`.
    fileprivate func codeLines(_ isWrong: (String) -> Bool) -> [Int] {
        parts.code.indexes(isWrong)
    }
}

extension [String] {
    fileprivate func indexes(_ isWrong: (String) -> Bool) -> [Int] {
        indices.filter { isWrong(self[$0]) }
    }
}

extension String {
    /// Whether a postfix `!` stands here: one right after a name or a closing bracket, and not the begin of `!=`.
    fileprivate var unwrapsByForce: Bool {
        guard utf8.contains(UInt8(ascii: "!")) else { return false }
        let characters = Array(self)
        return characters.indices.dropFirst().contains { index in
            let (before, after) = (characters[index - 1], index + 1 < characters.count ? characters[index + 1] : " ")
            return characters[index] == "!" && (before.isLetter || before.isNumber || ")]_}".contains(before)) && after != "="
        }
    }

    /// Whether a free function of this name is called here.
    fileprivate func hasCall(of function: String) -> Bool {
        ranges(of: "\(function)(").contains { range in
            guard range.lowerBound > startIndex else { return true }
            let before = self[index(before: range.lowerBound)]
            return !before.isLetter && !before.isNumber && before != "_" && before != "."
        }
    }

    /// The names of the types that are declared here.
    fileprivate var declaredTypes: [Substring] {
        let words = split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        let keywords: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        return zip(words, words.dropFirst()).filter { keywords.contains($0.0) }.map(\.1)
    }
}
