import Chassis
import ChassisTesting
import Contracts
import HTTPTypes
import Testing

@testable import NotificationService

@Suite("Mail through a real SMTP server")
struct SMTPTests {
    @Test(
        "another's mail parser reads what was meant, whatever the name",
        arguments: ["Ada", "Jörg Müller", "日本 太郎 🎉", "\"Ada\" <eve@example.org>", ".", String(repeating: "ä", count: 150)])
    func parsed(name: String) async throws {
        try await MailServer.run { server in
            try await NotificationShop.open(smtp: server.settings()) { shop in
                try await shop.register(name: name)
                let mail = try await server.next()
                #expect(mail["sender"] == "shop@souk.example" && mail["recipients"] == ["ada@example.org"])
                #expect(mail["from"] == "shop@souk.example" && mail["to"] == "ada@example.org")
                #expect(mail["subject"].string == "Welcome to Souk, \(name)")
                #expect(mail["contentType"] == "multipart/alternative" && mail["defects"] == [])
                #expect(mail["parts"].array.map { $0["type"] } == ["text/plain", "text/html"])
                #expect(mail["parts"][0]["text"].string?.contains("Hello \(name),") == true)
                #expect(try #require(mail["longestLine"].integer) <= 78)
                let sent = try await shop.messages(1, "sent")
                #expect(sent[0]["attempts"] == 1 && sent[0]["sentAt"] != .null)
                #expect(mail["messageID"].string == "<notification-\(try #require(sent[0]["id"].integer))@souk.example>")
            }
        }
    }

    @Test("a name with line ends adds no header and no recipient")
    func headerInjection() async throws {
        try await MailServer.run { server in
            try await NotificationShop.open(smtp: server.settings()) { shop in
                try await shop.register(name: "Ada\r\nBcc: eve@example.org\r\n\r\nBuy!")
                let mail = try await server.next()
                #expect(mail["headerNames"] == ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"])
                #expect(mail["subject"] == "Welcome to Souk, AdaBcc: eve@example.orgBuy!" && mail["recipients"] == ["ada@example.org"])
            }
        }
    }

    @Test("an address that is none never reaches a command of the protocol")
    func recipientInjection() async throws {
        try await MailServer.run { server in
            try await NotificationShop.open(smtp: server.settings()) { shop in
                #expect(try await shop.ask("bad", user: 8, email: "ada@example.org>\r\nRCPT TO:<eve@example.org") == .accepted)
                _ = try await shop.messages(1, "dead")
                #expect(try await shop.ask("good", user: 7) == .accepted)
                #expect(try await server.next()["recipients"] == ["ada@example.org"])
            }
        }
    }

    @Test("a server that refuses for a while gets the same message again")
    func retried() async throws {
        try await MailServer.run(refusals: 2) { server in
            try await NotificationShop.open(smtp: server.settings()) { shop in
                try await shop.register()
                #expect(try await server.next()["refused"] == ["ada@example.org"])
                #expect(try await server.next()["refused"] == ["ada@example.org"])
                #expect(try await server.next()["subject"] == "Welcome to Souk, Ada")
                #expect(try await shop.messages(1, "sent")[0]["attempts"] == 3)
            }
        }
    }

    @Test("a server that refuses for good makes the message dead, for a person to see and to send again")
    func dead() async throws {
        let attempts = 12
        try await MailServer.run(refusals: attempts) { server in
            try await NotificationShop.open(smtp: server.settings()) { shop in
                try await shop.register()
                for _ in 0..<attempts { #expect(try await server.next()["refused"] == ["ada@example.org"]) }
                let dead = try await shop.messages(1, "dead")[0]
                #expect(dead["attempts"].integer == Int64(attempts) && dead["error"].string?.contains("554") == true)
                #expect(try await shop.messages(query: "?status=dead").count == 1)
                let id = try #require(dead["id"].integer)

                let reply = try await shop.client.post("/api/notifications/\(id)/resend", as: .administrator)
                #expect(reply.status == .accepted)
                #expect(try await server.next()["messageID"].string == "<notification-\(id)@souk.example>")
                let sent = try await shop.messages(1, "sent")[0]
                #expect(sent["error"] == .null && sent["attempts"] == 1)
            }
        }
    }

    @Test("what was sent can be sent once more")
    func resent() async throws {
        try await MailServer.run { server in
            try await NotificationShop.open(smtp: server.settings()) { shop in
                try await shop.register()
                let first = try await server.next()
                let id = try #require(try await shop.messages(1, "sent")[0]["id"].integer)
                #expect(try await shop.client.post("/api/notifications/\(id)/resend", as: .administrator).status == .accepted)
                let second = try await server.next()
                #expect(first["messageID"] == second["messageID"] && first["parts"] == second["parts"])
            }
        }
    }

    @Test("a server that wants a login gets it")
    func login() async throws {
        try await MailServer.run(login: "shop:word") { server in
            try await NotificationShop.open(smtp: server.settings(login: "shop:word")) { shop in
                try await shop.register()
                #expect(try await server.next()["recipients"] == ["ada@example.org"])
            }
        }
    }

    @Test("a wrong login sends nothing, and the password is in no answer")
    func wrongLogin() async throws {
        try await MailServer.run(login: "shop:word") { server in
            try await NotificationShop.open(smtp: server.settings(login: "shop:wrong-word")) { shop in
                try await shop.register()
                #expect(try await shop.messages(1, "dead")[0]["error"].string?.contains("wrong-word") == false)
            }
        }
    }

    @Test("where TLS is required, a server without it gets nothing")
    func requiredTLS() async throws {
        try await MailServer.run { server in
            try await NotificationShop.open(smtp: server.settings(requiresTLS: true)) { shop in
                try await shop.register()
                #expect(try await shop.messages(1, "dead")[0]["error"].string?.isEmpty == false)
            }
        }
    }

    @Test("with nobody there the message waits, fails and dies, and everything else goes on")
    func nobody() async throws {
        // Port 9 of the loopback is discard's, where nobody listens.
        try await NotificationShop.open(smtp: SMTPSettings(url: "smtp://127.0.0.1:9", from: "shop@souk.example", requiresTLS: false)) {
            shop in
            try await shop.register()
            _ = try await shop.messages(1, "dead")
            #expect(try await shop.client.get("/health").status == .ok)
        }
    }
}
