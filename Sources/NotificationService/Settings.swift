public import Chassis
public import ChassisStorage

extension NotificationService {
    public struct Settings: Sendable {
        public var database: DatabaseURL
        var smtp: SMTPSettings?
        var twilio: TwilioSettings?
        /// How long a message is kept that waits for nobody.
        public var messageRetention: Duration

        public init(database: DatabaseURL, messageRetention: Duration = .seconds(90 * 86_400)) {
            self.database = database
            self.messageRetention = messageRetention
        }

        public init(_ reader: SettingsReader) {
            database = reader.database(default: "sqlite:.souk/notifications.sqlite")
            smtp = Self.smtp(reader)
            twilio = Self.twilio(reader)
            let days = reader.integer("retention.messages.days", default: 90, in: 30...3_650, "How long messages are kept and shown.")
            messageRetention = .seconds(days * 86_400)
        }

        private static func smtp(_ reader: SettingsReader) -> SMTPSettings? {
            let url = reader.secret("smtp.url", "Where mail goes: smtp://user:password@host:587 or smtps://…; unset keeps it in the inbox.")
            let from = reader.text("smtp.from", default: "shop@souk.local", "The address that mail comes from.")
            let tls = reader.choice("smtp.tls", default: TLSRequirement.offered, "Whether a server without TLS is refused.")
            guard let url else { return nil }
            guard url.hasPrefix("smtp://") || url.hasPrefix("smtps://") else {
                reader.mistake("SMTP_URL (--smtp-url) must begin with smtp:// or smtps://.")
                return nil
            }
            return SMTPSettings(url: url, from: from, requiresTLS: tls == .required)
        }

        private static func twilio(_ reader: SettingsReader) -> TwilioSettings? {
            let url = reader.optionalHTTPURL("sms.url", "A Twilio-compatible API; unset keeps text messages in the inbox.")
            let account = reader.optionalText("sms.account", "The account there.")
            let token = reader.secret("sms.token", "Its token.")
            let from = reader.text("sms.from", default: "Souk", "The number or name that text messages come from.")
            guard let url else { return nil }
            guard let account, let token else {
                reader.mistake("SMS_ACCOUNT and SMS_TOKEN are needed with SMS_URL.")
                return nil
            }
            return TwilioSettings(url: url, account: account, token: token, from: from)
        }

        func sms(over transport: HTTPTransport) -> TwilioSender? {
            twilio.map { TwilioSender(baseURL: $0.url, account: $0.account, token: $0.token, from: $0.from, transport: transport) }
        }
    }

    enum TLSRequirement: String, CaseIterable {
        /// TLS where the server offers it.
        case offered
        case required
    }

    struct TwilioSettings: Sendable {
        let url: String
        let account: String
        let token: String
        let from: String
    }
}
