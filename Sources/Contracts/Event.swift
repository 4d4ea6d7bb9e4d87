/// Something that has happened in one service and that others may act on.
///
/// An event is a fact in the past tense, complete enough that a consumer needs no call back. It carries no secrets and no more personal
/// data than its consumers need. On the wire it is the `data` of a CloudEvent 1.0 whose `type` is `eventType`.
public protocol Event: Codable, Sendable {
    /// The CloudEvents `type`, for example `souk.order.placed`. A change that old consumers cannot read is a new type.
    static var eventType: String { get }
    /// The service that says it: the CloudEvents `source`.
    static var source: ServiceName { get }
    /// The id of the thing it is about: the CloudEvents `subject`.
    var subject: String { get }
}
