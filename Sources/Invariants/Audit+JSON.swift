import Contracts

/// One document for programs: every invariant with what was examined and what was found.
extension Audit: Encodable {
    private enum CodingKeys: String, CodingKey { case level, holds, invariants }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(level, forKey: .level)
        try container.encode(holds, forKey: .holds)
        try container.encode(entries, forKey: .invariants)
    }
}

extension Audit.Entry: Encodable {
    private enum CodingKeys: String, CodingKey {
        case name, promise, level, sentence, outcome, examined, count, violations, missing
    }

    /// `holds`, `violated`, `warning` or `not-checked`.
    public var outcomeName: String {
        guard let finding else { return "not-checked" }
        if finding.holds { return "holds" }
        return invariant.weight == .violation ? "violated" : "warning"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(invariant.name, forKey: .name)
        try container.encode(invariant.promise, forKey: .promise)
        try container.encode(invariant.level, forKey: .level)
        try container.encode(invariant.sentence, forKey: .sentence)
        try container.encode(outcomeName, forKey: .outcome)
        switch outcome {
        case .checked(let finding):
            try container.encode(finding.examined, forKey: .examined)
            try container.encode(finding.count, forKey: .count)
            try container.encode(finding.violations, forKey: .violations)
        case .notChecked(let missing):
            try container.encode(missing, forKey: .missing)
        }
    }
}
