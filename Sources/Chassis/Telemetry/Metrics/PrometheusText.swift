/// What a metric is, as the TYPE line tells it.
enum MetricType: String, Sendable {
    case counter, gauge, histogram
}

/// One number with its labels, at one moment.
struct MetricSample: Sendable, Hashable {
    /// `_bucket`, `_sum` and `_count` of a histogram; else empty.
    var suffix = ""
    var labels: [MetricLabels.Label] = []
    var value: Double
}

/// One metric at one moment.
struct MetricFamilySnapshot: Sendable, Hashable {
    let name: String
    let help: String
    let type: MetricType
    let samples: [MetricSample]
}

/// The Prometheus text exposition format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Families come sorted by name; those without samples are left out.
    static func render(_ families: [MetricFamilySnapshot]) -> String {
        var text = ""
        for family in families.sorted(by: { $0.name < $1.name }) where !family.samples.isEmpty {
            text += "# HELP \(family.name) \(escaped(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.type.rawValue)\n"
            for sample in family.samples { append(sample, of: family, to: &text) }
        }
        return text
    }

    private static func append(_ sample: MetricSample, of family: MetricFamilySnapshot, to text: inout String) {
        text += family.name
        text += sample.suffix
        if !sample.labels.isEmpty {
            text += "{"
            for (index, label) in sample.labels.enumerated() {
                if index > 0 { text += "," }
                text += label.name
                text += "=\""
                text += escaped(label.value, quotes: true)
                text += "\""
            }
            text += "}"
        }
        text += " "
        text += number(sample.value)
        text += "\n"
    }

    /// As Go's `ParseFloat` reads it; whole numbers without a point.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return value.description
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { "\\\n\"".utf8.contains($0) }) else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
