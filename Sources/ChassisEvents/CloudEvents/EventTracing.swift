import Tracing

/// Carries the trace context into events and jobs and out of them again, as W3C `traceparent`, by whatever tracer is installed.
enum EventTracing {
    private static let field = "traceparent"

    /// The `traceparent` of the current task or transaction; nil outside any trace.
    static func currentTraceparent() -> String? {
        guard let context = ServiceContext.current else { return nil }
        var carrier: [String: String] = [:]
        InstrumentationSystem.instrument.inject(context, into: &carrier, using: DictionaryInjector())
        return carrier[field]
    }

    /// Runs `body` in a span of the trace that `traceparent` names, or of a trace of its own.
    static func withSpan<Result>(_ name: String, of traceparent: String?, _ body: () throws -> Result) rethrows -> Result {
        try Tracing.withSpan(name, context: context(of: traceparent), ofKind: .consumer) { _ in try body() }
    }

    /// As the other, for work that suspends.
    static func withSpan<Result>(_ name: String, of traceparent: String?, _ body: () async throws -> Result) async rethrows -> Result {
        try await Tracing.withSpan(name, context: context(of: traceparent), ofKind: .consumer) { _ in try await body() }
    }

    private static func context(of traceparent: String?) -> ServiceContext {
        var context = ServiceContext.topLevel
        guard let traceparent else { return context }
        InstrumentationSystem.instrument.extract([field: traceparent], into: &context, using: DictionaryExtractor())
        return context
    }

    private struct DictionaryInjector: Injector {
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) {
            carrier[key.lowercased()] = value
        }
    }

    private struct DictionaryExtractor: Extractor {
        func extract(key: String, from carrier: [String: String]) -> String? {
            carrier[key.lowercased()]
        }
    }
}
