import Testing

@Suite("The house stands as it is drawn")
struct LayoutTests {
    // MARK: Targets

    /// The folders that no target of the manifest is about.
    private static func unlisted(_ folders: [String], in manifest: String) -> [String] {
        folders.filter { !manifest.contains("name: \"\($0)\"") }
    }

    @Test("every folder of Sources and Tests is a target: what is not built rots unseen")
    func targets() throws {
        let manifest = try Repository.text(of: "Package.swift")
        let sources = try Repository.folders(in: "Sources").filter { $0 != "Executables" } + Repository.folders(in: "Sources/Executables")
        #expect(Self.unlisted(sources, in: manifest) == [])
        #expect(Self.unlisted(try Repository.folders(in: "Tests"), in: manifest) == [])
    }

    @Test("a folder that is no target is found")
    func targetsCanFail() {
        #expect(Self.unlisted(["Commerce", "Forgotten"], in: #".target(name: "Commerce")"#) == ["Forgotten"])
    }

    // MARK: Migrations

    /// What is wrong with the migrations of one target: numbers of files and names of migrations are each there once.
    private static func migrationMistakes(_ files: [SourceFile]) -> [String] {
        let numbers = files.filter { $0.isIn(folder: "Migrations") }.compactMap {
            $0.name.first?.isNumber == true ? String($0.name.prefix(3)) : nil
        }
        let names = files.flatMap { file in
            file.text.ranges(of: "Migration(").compactMap { range -> String? in
                let rest = file.text[range.upperBound...].drop(while: \.isWhitespace)
                return rest.first == "\"" ? String(rest.dropFirst().prefix { $0 != "\"" }) : nil
            }
        }
        return duplicates(of: numbers).map { "number \($0) is there twice" }
            + duplicates(of: names).map { "the migration \($0) is there twice" }
    }

    private static func duplicates(of texts: [String]) -> [String] {
        Dictionary(grouping: texts) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
    }

    @Test("a migration has a number and a name of its own: a database remembers it by them")
    func migrations() throws {
        let targets = Dictionary(grouping: try Repository.swiftFiles().filter(\.isInSources), by: \.target)
        var found = 0
        for (target, files) in targets {
            found += files.count { $0.isIn(folder: "Migrations") }
            for mistake in Self.migrationMistakes(files) { Issue.record("\(target): \(mistake)") }
        }
        #expect(found > 0)
    }

    @Test("two migrations of one number or one name are found")
    func migrationsCanFail() {
        func file(_ name: String, _ text: String) -> SourceFile { SourceFile(path: "Sources/A/Storage/Migrations/\(name)", text: text) }
        #expect(Self.migrationMistakes([file("001_a.swift", ""), file("001_b.swift", "")]) == ["number 001 is there twice"])
        let twice = "Migration(\n    \"001_a\", x)"
        #expect(Self.migrationMistakes([file("001_a.swift", twice), file("002_b.swift", twice)]) == ["the migration 001_a is there twice"])
        #expect(Self.migrationMistakes([file("001_a.swift", "Migration(\"001_a\")"), file("002_b.swift", "Migration(\"002_b\")")]) == [])
    }
}
