/// Why a run of `souk chaos` has shown nothing.
enum ChaosError: Error, CustomStringConvertible {
    /// While nothing was broken, the shop did not do its part.
    case unprepared(String)
    case noFreePorts
    case directoryInUse(String)

    var description: String {
        switch self {
        case .unprepared(let what): "The run cannot go on: \(what)."
        case .noFreePorts: "No free ports were found; name some with --port-base."
        case .directoryInUse(let path): "\(path) exists already. Chaos is for a shop of its own: name a folder that does not exist."
        }
    }
}
