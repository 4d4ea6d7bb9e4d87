import Mustache

/// The words of every message. A template sees `name` and what the event brought; HTML parts are escaped by Mustache.
struct Templates: Sendable {
    /// One message, ready to be sent.
    struct Rendered: Sendable, Hashable {
        let subject: String
        let text: String
        let html: String
        /// For SMS: the subject line alone, which says it all.
        var short: String { subject }
    }

    private struct Parts: Sendable {
        let subject: MustacheTemplate
        let text: MustacheTemplate
        let html: MustacheTemplate
    }

    private let parts: [MessageKind: Parts]

    /// Compiles all templates; throws on a mistake in one.
    init() throws {
        var parts: [MessageKind: Parts] = [:]
        for kind in MessageKind.allCases {
            let source = Self.source(of: kind)
            parts[kind] = Parts(
                subject: try MustacheTemplate(string: Self.plain(source.subject)),
                text: try MustacheTemplate(string: Self.plain(source.text)),
                html: try MustacheTemplate(string: Self.page(source.html)))
        }
        self.parts = parts
    }

    func render(_ kind: MessageKind, name: String, model: [String: String]) -> Rendered {
        var values = model
        values["name"] = name
        guard let parts = parts[kind] else { return Rendered(subject: "", text: "", html: "") }
        return Rendered(subject: parts.subject.render(values), text: parts.text.render(values), html: parts.html.render(values))
    }

    /// Text is not HTML: nothing is escaped in it.
    private static func plain(_ template: String) -> String { "{{%CONTENT_TYPE:TEXT}}" + template }

    private static func page(_ body: String) -> String {
        """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"></head>
        <body style="margin:0;padding:24px;background:#f6f4ef;font-family:Georgia,serif;color:#2b2622">
        <div style="max-width:560px;margin:auto;background:#fff;border-radius:8px;padding:32px;line-height:1.5">
        \(body)
        <p style="color:#8a8178;font-size:13px">Souk</p>
        </div></body></html>
        """
    }
}

extension Templates {
    private typealias Source = (subject: String, text: String, html: String)

    private static func source(of kind: MessageKind) -> Source {
        switch kind {
        case .welcome: welcome
        case .orderPlaced: orderPlaced
        case .orderPaid: orderPaid
        case .orderCancelled: orderCancelled
        case .orderShipped: orderShipped
        case .orderDelivered: orderDelivered
        case .orderRefunded: orderRefunded
        case .refundIssued: refundIssued
        case .paymentChargedBack: paymentChargedBack
        case .verifyEmail: verifyEmail
        case .resetPassword: resetPassword
        }
    }

    private static func letter(_ subject: String, _ sentences: String...) -> Source {
        let greeting = ["Hello {{name}},"] + sentences
        return (subject, greeting.joined(separator: "\n\n") + "\n", greeting.map { "<p>\($0)</p>" }.joined(separator: "\n"))
    }

    private static var welcome: Source {
        letter("Welcome to Souk, {{name}}", "your account is ready. We are glad that you are here.")
    }

    private static var orderPlaced: Source {
        letter(
            "Your order {{orderId}} has been received", "thank you for your order {{orderId}}: {{summary}}. It comes to {{total}}.",
            "We tell you as soon as it is paid.")
    }

    private static var orderPaid: Source {
        letter("Your order {{orderId}} is paid", "we have received {{total}} for your order {{orderId}} and are packing it.")
    }

    private static var orderCancelled: Source {
        letter(
            "Your order {{orderId}} was cancelled", "your order {{orderId}} was cancelled: {{reason}}.",
            "Whatever you have paid for it comes back to you.")
    }

    private static var orderShipped: Source {
        letter("Your order {{orderId}} is on its way", "your order {{orderId}} has left our shop.")
    }

    private static var orderDelivered: Source {
        letter("Your order {{orderId}} has arrived", "your order {{orderId}} was delivered. We hope that you like it.")
    }

    private static var orderRefunded: Source {
        letter("Your order {{orderId}} was refunded", "all that you paid for your order {{orderId}} has been given back.")
    }

    private static var refundIssued: Source {
        letter(
            "{{amount}} of your order {{orderId}} come back to you",
            "we have given back {{amount}} of what you paid for your order {{orderId}}.")
    }

    private static var paymentChargedBack: Source {
        letter(
            "Your bank has taken back {{amount}} of your order {{orderId}}",
            "your bank has taken back {{amount}} of what you paid for your order {{orderId}}. If you did not ask it to, please tell us.")
    }

    private static var verifyEmail: Source {
        letter(
            "Please confirm your email address", "please confirm that this address is yours with this code:", "{{token}}",
            "It can be used once, until {{expiresAt}}.")
    }

    private static var resetPassword: Source {
        letter(
            "Your new password", "somebody, hopefully you, asked for a new password. Choose one with this code:", "{{token}}",
            "It can be used once, until {{expiresAt}}. If it was not you, nothing needs to be done.")
    }
}
