/// Whose spans they are: OpenTelemetry's `service.*` resource attributes.
public struct OTLPResource: Sendable, Hashable {
    public let service: String
    public let version: String
    /// Tells replicas of a service apart; unique while the process lives.
    public let instance: String

    public init(service: String, version: String, instance: String) {
        self.service = service
        self.version = version
        self.instance = instance
    }
}
