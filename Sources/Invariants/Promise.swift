/// The six promises of a shop (`ARCHITECTURE.md`, "What must hold at every moment"). Every invariant is a piece of one of them.
public enum Promise: Int, Sendable, CaseIterable, Codable {
    case stock = 1
    case money
    case events
    case keys
    case progress
    case memory

    /// As the architecture has it.
    public var sentence: String {
        switch self {
        case .stock:
            "Stock: on hand + reserved + sold is constant but for recorded movements; nothing below zero; no oversell."
        case .money:
            "Money: the ledger sums to zero per currency; captured ≤ authorised; at most one capture per order; "
                + "cancelled ⇒ refunded or never captured."
        case .events: "Every committed outbox row reaches every consumer; each event takes effect exactly once there."
        case .keys: "One idempotency key, one effect, one response."
        case .progress: "When faults stop, every order reaches a final state, or one that waits for a person, within a bounded time."
        case .memory: "Nothing a client was told succeeded is ever lost."
        }
    }
}
