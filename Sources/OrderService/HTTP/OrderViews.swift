import Commerce
import Contracts
import Foundation

/// An order as the API shows it in lists and after it was placed.
struct OrderView: Encodable {
    let id: OrderID
    let userId: UserID
    let items: [LineView]
    let totalPrice: Decimal
    let currency: Currency
    let status: OrderStatus
    let createdAt: Timestamp
    /// Only when there is one line, for clients that order one product at a time.
    let productId: ProductID?
    let quantity: Quantity?

    init(_ order: Order) {
        id = order.id
        userId = order.userID
        items = order.lines.map(LineView.init)
        totalPrice = order.total.majorUnits
        currency = order.total.currency
        status = order.status
        createdAt = order.createdAt
        productId = order.lines.count == 1 ? order.lines[0].productID : nil
        quantity = order.lines.count == 1 ? order.lines[0].quantity : nil
    }

    struct LineView: Encodable {
        let productId: ProductID
        let name: String
        let unitPrice: Decimal
        let quantity: Quantity
        let lineTotal: Decimal

        init(_ line: OrderLine) {
            productId = line.productID
            name = line.name
            unitPrice = line.unitPrice.majorUnits
            quantity = line.quantity
            // Their sum was found to be within bounds before the order was stored.
            lineTotal = line.unitPrice.majorUnits * Decimal(line.quantity.rawValue)
        }
    }
}

/// One order with its history and its payment.
struct OrderDetailsView: Encodable {
    private let order: OrderView
    private let details: Details

    private struct Details: Encodable {
        let payment: PaymentView
        let paymentMethod: String
        let shippingAddress: ShippingAddress?
        let timeline: [TimelineView]
    }

    private struct PaymentView: Encodable {
        let status: String
        let paymentId: PaymentID?
        let captured: Decimal
        let refunded: Decimal
        let chargedBack: Decimal
        let currency: Currency
        let failureReason: String?
    }

    private struct TimelineView: Encodable {
        let status: OrderStatus
        let at: Timestamp
        let reason: String?
    }

    init(_ order: Order, _ timeline: [TimelineEntry]) {
        self.order = OrderView(order)
        let payment = PaymentView(
            status: order.payment.status(of: order.status), paymentId: order.payment.paymentID, captured: order.payment.captured.majorUnits,
            refunded: order.payment.refunded.majorUnits, chargedBack: order.payment.lost.majorUnits, currency: order.total.currency,
            failureReason: order.payment.failureReason)
        details = Details(
            payment: payment, paymentMethod: order.paymentMethod, shippingAddress: order.shippingAddress,
            timeline: timeline.map { TimelineView(status: $0.status, at: $0.at, reason: $0.reason) })
    }

    /// The members of both in one object.
    func encode(to encoder: any Encoder) throws {
        try order.encode(to: encoder)
        try details.encode(to: encoder)
    }
}
