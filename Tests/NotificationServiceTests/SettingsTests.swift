import Chassis
import Testing

@testable import NotificationService

@Suite("Settings")
struct SettingsTests {
    /// The settings of an environment, and what is wrong with it.
    private func read(_ environment: [String: String]) -> (settings: NotificationService.Settings, mistakes: [String]) {
        let reader = SettingsReader.fromProcess(arguments: ["notification-service"], environment: environment)
        let settings = NotificationService.Settings(reader)
        do {
            try reader.finish()
            return (settings, [])
        } catch {
            return (settings, error.sentences)
        }
    }

    @Test("without anything set messages go to the development inbox")
    func nothing() {
        let (settings, mistakes) = read([:])
        #expect(settings.smtp == nil && settings.twilio == nil && mistakes.isEmpty)
    }

    @Test("what is set is what is used")
    func everything() {
        let (settings, mistakes) = read([
            "SMTP_URL": "smtps://shop:word@mail.example:465", "SMTP_FROM": "hello@souk.example", "SMTP_TLS": "required",
            "SMS_URL": "https://sms.example", "SMS_ACCOUNT": "AC1", "SMS_TOKEN": "t0ken", "SMS_FROM": "+1",
        ])
        #expect(mistakes.isEmpty)
        #expect(settings.smtp?.url == "smtps://shop:word@mail.example:465" && settings.smtp?.from == "hello@souk.example")
        #expect(settings.smtp?.requiresTLS == true)
        #expect(settings.twilio?.url == "https://sms.example" && settings.twilio?.account == "AC1" && settings.twilio?.token == "t0ken")
        #expect(settings.twilio?.from == "+1")
    }

    @Test(
        "a wrong value stops the start with a sentence that names the key and holds no secret",
        arguments: [
            (["SMTP_URL": "http://shop:hidden@mail.example"], "SMTP_URL"), (["SMTP_URL": "mail.example:hidden"], "SMTP_URL"),
            (["SMTP_TLS": "maybe"], "SMTP_TLS"), (["SMS_URL": "ftp://sms.example"], "SMS_URL"),
            (["SMS_URL": "https://sms.example", "SMS_TOKEN": "hidden"], "SMS_ACCOUNT"),
            (["SMS_URL": "https://sms.example", "SMS_ACCOUNT": "AC1"], "SMS_TOKEN"),
        ])
    func mistakes(environment: [String: String], key: String) {
        let mistakes = read(environment).mistakes
        #expect(mistakes.count == 1 && mistakes[0].contains(key) && !mistakes[0].contains("hidden"))
    }
}
