/// How log lines look.
public enum LogFormat: String, Sendable, CaseIterable {
    /// One JSON object a line, for machines.
    case json
    /// Short aligned lines for people.
    case pretty
    /// `pretty` on a terminal, else `json`.
    case auto
}

/// A format as decided for one output.
public enum LogStyle: Sendable, Hashable {
    case json
    case pretty(colours: Bool)

    /// - Parameters:
    ///   - environment: `NO_COLOR` and `CLICOLOR_FORCE` are read as their authors ask (no-color.org, bixense.com/clicolors); `TERM=dumb` has no colours.
    public init(_ format: LogFormat, isTerminal: Bool, environment: [String: String]) {
        switch format {
        case .json:
            self = .json
        case .auto where !isTerminal:
            self = .json
        case .pretty, .auto:
            let isForbidden = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
            let isForced = environment["CLICOLOR_FORCE"].map { !$0.isEmpty && $0 != "0" } ?? false
            self = .pretty(colours: !isForbidden && (isForced || isTerminal && environment["TERM"] != "dumb"))
        }
    }
}
