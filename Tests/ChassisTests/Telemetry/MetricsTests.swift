import Foundation
import Metrics
import Testing

@testable import Chassis

@Suite struct PrometheusRegistryTests {
    private func registry(
        buckets: [String: HistogramBuckets] = [:], help: [String: String] = [:], seriesLimit: Int = 2_000
    ) -> PrometheusRegistry {
        PrometheusRegistry(buckets: buckets, help: help, seriesLimit: seriesLimit, processMetrics: false)
    }

    private func lines(_ registry: PrometheusRegistry, with prefix: String) -> [String] {
        registry.render().split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    @Test("every kind of metric is shown in the text format, sorted")
    func wholePage() {
        let registry = registry(
            buckets: ["job.duration": HistogramBuckets([1, 0.5]), "batch": HistogramBuckets([10])],
            help: ["orders.placed": "Orders \\ placed\nso far"])
        Counter(label: "orders.placed", dimensions: [("currency", "USD"), ("channel", "web")], factory: registry).increment(by: 3)
        Counter(label: "orders.placed", dimensions: [("channel", "app"), ("currency", "EUR")], factory: registry).increment()
        FloatingPointCounter(label: "revenue", factory: registry).increment(by: 1.25)
        Gauge(label: "stock", factory: registry).record(-4)
        let active = Meter(label: "http.active", factory: registry)
        active.increment(by: 2.0)
        active.decrement()
        let timer = Timer(label: "job.duration", factory: registry)
        timer.recordMilliseconds(500)
        timer.recordMilliseconds(750)
        timer.recordSeconds(2)
        Recorder(label: "batch", factory: registry).record(4)
        #expect(
            registry.render() == """
                # HELP batch batch
                # TYPE batch histogram
                batch_bucket{le="10"} 1
                batch_bucket{le="+Inf"} 1
                batch_sum 4
                batch_count 1
                # HELP http_active http.active
                # TYPE http_active gauge
                http_active 1
                # HELP job_duration_seconds job.duration
                # TYPE job_duration_seconds histogram
                job_duration_seconds_bucket{le="0.5"} 1
                job_duration_seconds_bucket{le="1"} 2
                job_duration_seconds_bucket{le="+Inf"} 3
                job_duration_seconds_sum 3.25
                job_duration_seconds_count 3
                # HELP metrics_name_conflicts_total Metrics not shown because another type has their name.
                # TYPE metrics_name_conflicts_total counter
                metrics_name_conflicts_total 0
                # HELP orders_placed_total Orders \\\\ placed\\nso far
                # TYPE orders_placed_total counter
                orders_placed_total{channel="app",currency="EUR"} 1
                orders_placed_total{channel="web",currency="USD"} 3
                # HELP revenue_total revenue
                # TYPE revenue_total counter
                revenue_total 1.25
                # HELP stock stock
                # TYPE stock gauge
                stock -4

                """)
    }

    @Test("a timer without bounds of its own has OpenTelemetry's")
    func defaultBuckets() {
        let registry = registry()
        Timer(label: "http.server.request.duration", factory: registry).recordNanoseconds(0)
        let bounds = lines(registry, with: "http_server_request_duration_seconds_bucket").map { $0.split(separator: "\"")[1] }
        #expect(bounds == ["0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "0.75", "1", "2.5", "5", "7.5", "10", "+Inf"])
    }

    @Test("label values are escaped and label names made legal, so that a page can always be read")
    func labels() {
        let registry = registry()
        let dimensions = [
            ("http.route", "/a\"b\\c\nd"), ("le", "1"), ("__name__", "x"), ("9lives", "ü"), ("", "e"), ("a-b", "1"), ("a.b", "2"),
        ]
        Counter(label: "x", dimensions: dimensions, factory: registry).increment()
        #expect(
            lines(registry, with: "x_total") == [
                #"x_total{_="e",_9lives="ü",a_b="1;2",http_route="/a\"b\\c\nd",label___name__="x",label_le="1"} 1"#
            ])
    }

    @Test(
        "metric names are made legal",
        arguments: [
            ("http.server-requests", "http_server_requests_total"), ("2xx", "_2xx_total"), ("", "__total"), ("näme", "n_me_total"),
            ("done_total", "done_total"),
            ("job:rate", "job:rate_total"),
        ])
    func names(label: String, name: String) {
        #expect(MetricName.counter(label) == name)
    }

    @Test("the same dimensions in any order are one series, also when the metric is made anew at each use")
    func sameSeries() {
        let registry = registry()
        for index in 0..<10 {
            let dimensions = index.isMultiple(of: 2) ? [("a", "1"), ("b", "2")] : [("b", "2"), ("a", "1")]
            Counter(label: "hits", dimensions: dimensions, factory: registry).increment()
        }
        #expect(lines(registry, with: "hits_total") == [#"hits_total{a="1",b="2"} 10"#])
    }

    @Test("beyond its limit of series a metric counts into one overflow series, and says how often")
    func cardinality() {
        let registry = registry(seriesLimit: 3)
        for index in 0..<10 { Counter(label: "hits", dimensions: [("user", "\(index)")], factory: registry).increment() }
        #expect(
            lines(registry, with: "hits_total") == [
                #"hits_total{user="0"} 1"#, #"hits_total{user="1"} 1"#, #"hits_total{user="2"} 1"#, #"hits_total{overflow="true"} 7"#,
            ])
        #expect(lines(registry, with: "metrics_series_overflow_total") == [#"metrics_series_overflow_total{metric="hits_total"} 7"#])
    }

    @Test("two types under one name: the first stays, the other is not shown and counted as a conflict, once")
    func conflicts() {
        let registry = registry()
        Gauge(label: "queue", factory: registry).record(5)
        for _ in 0..<3 { Recorder(label: "queue", factory: registry).record(9) }
        Timer(label: "wait", factory: registry).recordSeconds(1)
        Gauge(label: "wait.seconds.count", factory: registry).record(1)
        #expect(lines(registry, with: "queue") == ["queue 5"])
        #expect(lines(registry, with: "wait_seconds_count") == ["wait_seconds_count 1"])
        #expect(lines(registry, with: "metrics_name_conflicts_total") == ["metrics_name_conflicts_total 2"])
    }

    @Test("a counter never falls, a histogram never swallows what is not a number")
    func oddValues() {
        let registry = registry()
        let counter = FloatingPointCounter(label: "c", factory: registry)
        for amount in [1.5, -1, .nan, .infinity] { counter.increment(by: amount) }
        let whole = Counter(label: "w", factory: registry)
        whole.increment(by: -5)
        whole.increment(by: Int64.max)
        whole.increment(by: Int64.max)
        let recorder = Recorder(label: "r", factory: registry)
        for value in [1, Double.nan, .infinity, -.infinity] { recorder.record(value) }
        Timer(label: "t", factory: registry).recordNanoseconds(-1)
        let gauge = Gauge(label: "g", factory: registry)
        gauge.record(Double.infinity)
        #expect(lines(registry, with: "c_total") == ["c_total 1.5"])
        #expect(lines(registry, with: "w_total") == ["w_total 9.223372036854776e+18"])
        #expect(lines(registry, with: "r_sum") + lines(registry, with: "r_count") == ["r_sum 1", "r_count 1"])
        #expect(lines(registry, with: "t_seconds_sum") == ["t_seconds_sum 0"])
        #expect(lines(registry, with: "g ") == ["g +Inf"])
    }

    @Test("a destroyed metric is no longer shown")
    func destroy() {
        let registry = registry()
        let counter = Counter(label: "a", dimensions: [("k", "1")], factory: registry)
        counter.increment()
        Counter(label: "a", dimensions: [("k", "2")], factory: registry).increment()
        counter.destroy()
        #expect(lines(registry, with: "a_total") == [#"a_total{k="2"} 1"#])
    }

    @Test("nothing is lost when many threads count at once, and each scrape of a histogram is consistent")
    func concurrency() async {
        let registry = registry()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    for round in 0..<2_000 {
                        Counter(label: "n", dimensions: [("w", "\(round % 3)")], factory: registry).increment()
                        FloatingPointCounter(label: "f", factory: registry).increment(by: 0.5)
                        Timer(label: "t", factory: registry).recordMilliseconds(worker)
                        Meter(label: "m", factory: registry).increment()
                    }
                }
            }
            group.addTask {
                for _ in 0..<50 {
                    let page = self.lines(registry, with: "t_seconds_")
                    let infinite = page.first { $0.contains("+Inf") }?.split(separator: " ").last
                    let count = page.first { $0.contains("_count") }?.split(separator: " ").last
                    #expect(infinite == count)
                }
            }
        }
        let total = lines(registry, with: "n_total").compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +)
        #expect(total == 16_000)
        #expect(lines(registry, with: "f_total") == ["f_total 8000"])
        #expect(lines(registry, with: "m ") == ["m 16000"])
        #expect(lines(registry, with: "t_seconds_count") == ["t_seconds_count 16000"])
    }
}

@Suite struct ProcessMetricsTests {
    private static let stat =
        "4242 (souk (odd) name) S 1 1 1 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 7 0 12345 104857600 1000 18446744073709551615 0 0"

    private func metrics(_ files: [String: String], entries: Int?) -> [String: Double] {
        let process = ProcessMetrics(ticksPerSecond: 100, pageSizeBytes: 4096, readFile: { files[$0] }, countEntries: { _ in entries })
        return Dictionary(uniqueKeysWithValues: process.snapshots.map { ($0.name, $0.samples[0].value) })
    }

    @Test("the kernel's numbers are read whatever the program is called")
    func values() {
        let limits = "Limit Soft Hard Units\nMax open files            1024                 524288               files\n"
        let files = ["/proc/self/stat": Self.stat, "/proc/stat": "cpu 1 2\nbtime 1700000000\n", "/proc/self/limits": limits]
        #expect(
            metrics(files, entries: 12) == [
                "process_cpu_seconds_total": 3, "process_resident_memory_bytes": 4_096_000, "process_virtual_memory_bytes": 104_857_600,
                "process_threads": 7, "process_start_time_seconds": 1_700_000_123.45, "process_open_fds": 12, "process_max_fds": 1024,
            ])
    }

    @Test("without /proc nothing is shown; a half-written file is left out")
    func absent() {
        #expect(metrics([:], entries: nil).isEmpty)
        #expect(metrics(["/proc/self/stat": "1 (x) S 1 2"], entries: nil).isEmpty)
        #expect(metrics(["/proc/self/stat": Self.stat], entries: nil)["process_start_time_seconds"] == nil)
    }

    #if os(Linux)
        @Test("this process has memory, open files and a past")
        func real() throws {
            let snapshots = ProcessMetrics.thisProcess.snapshots
            let values = Dictionary(uniqueKeysWithValues: snapshots.map { ($0.name, $0.samples[0].value) })
            #expect(try #require(values["process_resident_memory_bytes"]) > 1_000_000)
            #expect(try #require(values["process_open_fds"]) >= 3)
            let start = try #require(values["process_start_time_seconds"])
            #expect(abs(Date().timeIntervalSince1970 - start) < 86_400)
            #expect(PrometheusRegistry().render().contains("\nprocess_cpu_seconds_total "))
        }
    #endif
}
