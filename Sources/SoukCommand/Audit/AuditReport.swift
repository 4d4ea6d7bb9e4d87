import Contracts
import Invariants

/// An audit as a person reads it: promise by promise, what was examined, and what is broken.
struct AuditReport: Sendable {
    let audit: Audit

    var text: String {
        var lines: [String] = []
        var promise: Promise?
        for (entry, row) in zip(audit.entries, rows) {
            if entry.invariant.promise != promise {
                promise = entry.invariant.promise
                lines += ["", "\(entry.invariant.promise.rawValue). \(entry.invariant.promise.sentence)"]
            }
            lines.append("   " + row)
            lines += details(of: entry).map { "       " + $0 }
        }
        return lines.dropFirst().joined(separator: "\n") + "\n\n" + closing
    }

    /// One line for each invariant.
    private var rows: [String] {
        var table = TextTable("", "", "", "")
        for entry in audit.entries {
            switch entry.outcome {
            case .checked(let finding):
                let verdict =
                    finding.holds ? "" : entry.invariant.weight == .violation ? "violations: \(finding.count)" : "waiting: \(finding.count)"
                table.add(mark(of: entry), entry.invariant.name, "\(finding.examined)", verdict)
            case .notChecked(let missing):
                table.add("-", entry.invariant.name, "", "not checked: no \(list(missing))")
            }
        }
        return table.text.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().map(String.init)
    }

    private func mark(of entry: Audit.Entry) -> String {
        if entry.finding?.holds == true { return "✓" }
        return entry.invariant.weight == .violation ? "✗" : "!"
    }

    private func details(of entry: Audit.Entry) -> [String] {
        guard let finding = entry.finding, !finding.holds else { return [] }
        var lines = [entry.invariant.sentence] + finding.violations.map { "\($0.id) \($0.sentence)" }
        let rest = finding.count - finding.violations.count
        if rest > 0 { lines.append("… and \(rest) more") }
        return lines
    }

    private var closing: String {
        let checked = audit.entries.count - audit.unchecked.count
        var sentences = [
            audit.holds ? "All \(checked) invariants hold." : "\(audit.violated.count) of \(checked) invariants are violated."
        ]
        let waiting = audit.warnings.reduce(0) { $0 + ($1.finding?.count ?? 0) }
        if waiting > 0 { sentences.append("\(waiting) dead letters wait for a person: see `souk dead list`.") }
        let missing = Set(audit.unchecked.flatMap(\.missing))
        if !missing.isEmpty {
            let names = list(Books.services.filter { missing.contains($0) })
            sentences.append("\(audit.unchecked.count) were not checked, because these databases are missing: \(names).")
        }
        return sentences.joined(separator: " ")
    }

    private func list(_ services: [ServiceName]) -> String {
        services.map { "\($0.databaseName).sqlite" }.joined(separator: ", ")
    }
}
