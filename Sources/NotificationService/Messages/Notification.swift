import ChassisStorage
import Commerce

/// What a message is about. Each has a template with a subject, a text and an HTML part.
enum MessageKind: String, Sendable, CaseIterable {
    case welcome
    case orderPlaced = "order-placed"
    case orderPaid = "order-paid"
    case orderCancelled = "order-cancelled"
    case orderShipped = "order-shipped"
    case orderDelivered = "order-delivered"
    case orderRefunded = "order-refunded"
    case refundIssued = "refund-issued"
    case paymentChargedBack = "payment-charged-back"
    case verifyEmail = "verify-email"
    case resetPassword = "reset-password"

    /// A message that a person asked for to get on: it goes by email whatever the person has chosen, and its secret is forgotten once sent.
    var carriesSecret: Bool { self == .verifyEmail || self == .resetPassword }
}

enum Channel: String, Sendable, CaseIterable {
    case email, sms
}

/// What became of a message.
enum NotificationStatus: String, Sendable, CaseIterable {
    /// Waits for its turn, or for the customer's address to be known.
    case queued
    case sent
    /// Not sent because nothing to send by is set up: it lies in the development inbox.
    case kept
    /// The customer wants none, or is gone.
    case suppressed
    /// Every attempt failed; a person can send it again.
    case dead
}

/// One message to one customer.
struct Notification: Sendable {
    let id: NotificationID
    let userID: UserID
    let kind: MessageKind
    /// What the template is filled with, besides the customer's name.
    let model: [String: String]
    let channel: Channel?
    let status: NotificationStatus
    let attempts: Int
    let error: String?
    let createdAt: Timestamp
    let sentAt: Timestamp?

    /// Its secret was sent or erased: there is nothing left to say.
    var isForgotten: Bool { kind.carriesSecret && model.isEmpty }

    /// Whether somebody who is signed in may read what it says. A secret proves that its reader has the mailbox, so it is for the mailbox alone: who
    /// has got hold of somebody's access token, or has registered with somebody's address, must not find it here. Only the development inbox,
    /// which is the mailbox then, shows it to whom it is for.
    func showsModel(to reader: UserID) -> Bool { !kind.carriesSecret || (status == .kept && userID == reader) }
}

/// Where a customer can be reached, and how the customer wants to be.
struct Contact: Sendable, Hashable {
    let userID: UserID
    let name: String
    /// Empty once the customer's data are erased.
    let email: String
    let phone: String?
    let wantsEmail: Bool
    let wantsSMS: Bool

    /// One event gives one message: by email where it is wanted, else by SMS. Nil when neither is, or the customer is gone.
    func channel(for kind: MessageKind) -> Channel? {
        guard !email.isEmpty else { return nil }
        if wantsEmail || kind.carriesSecret { return .email }
        return wantsSMS && phone != nil ? .sms : nil
    }
}

extension MessageKind: SQLValueConvertible {}
extension Channel: SQLValueConvertible {}
extension NotificationStatus: SQLValueConvertible {}
