import Foundation

/// What the kernel knows of this process, under the names that Prometheus's client libraries share. Linux only: read from `/proc`.
struct ProcessMetrics: Sendable {
    private let readFile: @Sendable (_ path: String) -> String?
    private let countEntries: @Sendable (_ path: String) -> Int?
    private let ticksPerSecond: Double
    private let pageSizeBytes: Double

    /// - Parameters:
    ///   - readFile: the text of a file, nil if there is none.
    ///   - countEntries: how many entries a directory has.
    init(
        ticksPerSecond: Double, pageSizeBytes: Double,
        readFile: @escaping @Sendable (String) -> String?, countEntries: @escaping @Sendable (String) -> Int?
    ) {
        self.ticksPerSecond = ticksPerSecond
        self.pageSizeBytes = pageSizeBytes
        self.readFile = readFile
        self.countEntries = countEntries
    }

    static let thisProcess = ProcessMetrics(
        ticksPerSecond: Double(max(1, sysconf(Int32(_SC_CLK_TCK)))),
        pageSizeBytes: Double(max(1, sysconf(Int32(_SC_PAGESIZE)))),
        readFile: { try? String(contentsOfFile: $0, encoding: .utf8) },
        countEntries: { try? FileManager.default.contentsOfDirectory(atPath: $0).count }
    )

    /// Empty where `/proc` is missing or unreadable; else whatever of it could be read.
    var snapshots: [MetricFamilySnapshot] {
        var families: [MetricFamilySnapshot] = []
        func add(_ name: String, _ help: String, _ value: Double?, type: MetricType = .gauge) {
            guard let value else { return }
            families.append(MetricFamilySnapshot(name: name, help: help, type: type, samples: [MetricSample(value: value)]))
        }
        if let stat = Stat(readFile("/proc/self/stat")) {
            let cpuSeconds = (stat.userTicks + stat.systemTicks) / ticksPerSecond
            add("process_cpu_seconds_total", "User and system CPU time spent in seconds.", cpuSeconds, type: .counter)
            add("process_resident_memory_bytes", "Resident memory size in bytes.", stat.residentPages * pageSizeBytes)
            add("process_virtual_memory_bytes", "Virtual memory size in bytes.", stat.virtualBytes)
            add("process_threads", "Number of OS threads in the process.", stat.threads)
            add(
                "process_start_time_seconds", "Start time of the process since the Unix epoch in seconds.",
                bootTimeSeconds.map { $0 + stat.startTicksAfterBoot / ticksPerSecond })
        }
        add("process_open_fds", "Number of open file descriptors.", countEntries("/proc/self/fd").map(Double.init))
        add("process_max_fds", "Maximum number of open file descriptors.", maximumOpenFiles)
        return families
    }

    private var bootTimeSeconds: Double? {
        readFile("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    }

    private var maximumOpenFiles: Double? {
        let line = readFile("/proc/self/limits")?.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        return line?.dropFirst("Max open files".count).split(separator: " ").first.flatMap { Double($0) }
    }
}

/// The fields of `/proc/PID/stat` that are used here, numbered as in proc(5).
private struct Stat {
    let userTicks: Double
    let systemTicks: Double
    let threads: Double
    let startTicksAfterBoot: Double
    let virtualBytes: Double
    let residentPages: Double

    /// The second field is the program's name in parentheses, which may hold spaces and parentheses itself: counting starts after the last one.
    init?(_ text: String?) {
        guard let text, let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        func field(_ number: Int) -> Double? {
            fields.indices.contains(number - 3) ? Double(fields[number - 3]) : nil
        }
        guard let userTicks = field(14), let systemTicks = field(15), let threads = field(20), let start = field(22),
            let virtualBytes = field(23), let residentPages = field(24)
        else { return nil }
        self.userTicks = userTicks
        self.systemTicks = systemTicks
        self.threads = threads
        self.startTicksAfterBoot = start
        self.virtualBytes = virtualBytes
        self.residentPages = residentPages
    }
}
