import Contracts

/// What `--help` of a service prints: every key it reads.
enum SettingsHelp {
    static func text(for service: ServiceName, _ entries: [SettingsReader.Entry]) -> String {
        let lines = entries.map { entry in
            let standard = entry.defaultValue.map { " Default: \($0)." } ?? ""
            return "  \(entry.flag), \(entry.variable)  (\(entry.type))\n      \(entry.purpose)\(standard)"
        }
        return "\(service.rawValue) \(SoukVersion.current)\n\nSettings, as flags or environment variables:\n\n"
            + lines.joined(separator: "\n")
    }
}
