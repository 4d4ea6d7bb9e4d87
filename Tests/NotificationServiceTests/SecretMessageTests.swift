import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import NotificationService

@Suite("Messages that carry a code")
struct SecretMessageTests {
    @Test("the customer reads the code, an administrator does not")
    func hidden() async throws {
        try await NotificationShop.open { shop in
            #expect(try await shop.ask("m1") == .accepted)
            let own = try await shop.client.get("/api/notifications", as: .user(7))
            #expect(own.text.contains("s3cret-code"))
            let all = try await shop.client.get("/api/notifications", as: .administrator)
            #expect(all.json.count == 1 && all.json[0]["kind"] == "reset-password" && !all.text.contains("s3cret-code"))
        }
    }

    @Test("an administrator's own code is for that administrator", arguments: [SecretMessage.Kind.verifyEmail, .resetPassword])
    func administratorsOwn(kind: SecretMessage.Kind) async throws {
        try await NotificationShop.open { shop in
            let status = try await shop.ask("m1", kind: kind, user: 5)
            let own = try await shop.client.get("/api/notifications", as: .administrator(5))
            let others = try await shop.client.get("/api/notifications", as: .administrator(6))
            #expect(status == .accepted && own.text.contains("s3cret-code") && !others.text.contains("s3cret-code"))
        }
    }

    @Test("with a mail server set up the code is for the mailbox alone, however long the mail takes and whether it gets there")
    func onlyByMail() async throws {
        try await MailServer.run(refusals: 100) { server in
            try await NotificationShop.open(smtp: server.settings()) { shop in
                #expect(try await shop.ask("m1", kind: .verifyEmail) == .accepted)
                let own = { try await shop.client.get("/api/notifications", as: .user(7)) }
                // What was refused once waits for its next attempt.
                _ = try await server.next()
                let early = try await own()
                #expect(early.json[0]["kind"] == "verify-email" && !early.text.contains("s3cret-code"))
                _ = try await shop.messages(1, "dead")
                #expect(try await !own().text.contains("s3cret-code"))
            }
        }
    }

    @Test("the same id is the same message")
    func idempotent() async throws {
        try await NotificationShop.open { shop in
            for id in ["m1", "m1", "m1", "m2"] { #expect(try await shop.ask(id) == .accepted) }
            let messages = try await shop.messages()
            #expect(messages.count == 2)
        }
    }

    @Test("it goes by email whatever the customer chose, to an address that nothing else has told of yet")
    func overridesChoices() async throws {
        try await NotificationShop.open { shop in
            #expect(try await shop.ask("m1", user: 9, email: "new@example.org") == .accepted)
            try await shop.update(7, choices: NotificationChoices(email: false, sms: false))
            try await shop.consumed()
            #expect(try await shop.ask("m2") == .accepted)
            #expect(try await shop.messages().map { $0["channel"] } == ["email", "email"])
        }
    }

    @Test("once sent the code is forgotten, and the message cannot be sent again")
    func forgotten() async throws {
        try await MailServer.run { server in
            try await NotificationShop.open(smtp: server.settings()) { shop in
                #expect(try await shop.ask("m1") == .accepted)
                let mail = try await server.next()
                #expect(mail["recipients"] == ["ada@example.org"])
                #expect(mail["parts"].array.allSatisfy { $0["text"].string?.contains("s3cret-code") == true })
                let sent = try await shop.messages(1, "sent")
                #expect(try await !shop.client.get("/api/notifications", as: .user(7)).text.contains("s3cret-code"))
                let id = try #require(sent[0]["id"].integer)
                let again = try await shop.client.post("/api/notifications/\(id)/resend", as: .administrator)
                #expect(again.status == .conflict && again.json["type"] == "urn:souk:problem:secret-forgotten")
            }
        }
    }

    @Test("a body that is none is refused", arguments: ["", "{}", "[]", #"{"id":1}"#, "nonsense"])
    func badBody(text: String) async throws {
        try await NotificationShop.open { shop in
            let reply = try await shop.client.send(.post, "/internal/messages", bytes: Data(text.utf8), as: .service(.users))
            #expect(reply.status == .badRequest)
            #expect(try await shop.messages() == [])
        }
    }
}

@Suite("Erasure")
struct ErasureTests {
    @Test("name, address and what was said of a customer are gone from every answer; the fact that something was said stays")
    func erased() async throws {
        try await NotificationShop.open { shop in
            try await shop.update(name: "Adalbert", email: "adalbert@example.org", phone: "+4912345678", choices: .standard)
            try await shop.consumed()
            try await shop.ship(4711)
            _ = try await shop.messages(1, "kept")
            try await shop.erase()
            try await shop.consumed()
            let reply = try await shop.client.get("/api/notifications", as: .administrator)
            #expect(reply.json.count == 1)
            for trace in ["Adalbert", "adalbert", "+4912345678", "4711"] { #expect(!reply.text.contains(trace)) }
        }
    }

    @Test("who is gone is told nothing more, not even a code, whatever is said late")
    func silent() async throws {
        try await NotificationShop.open { shop in
            try await shop.erase()
            try await shop.register()
            try await shop.update(choices: NotificationChoices(email: true, sms: true))
            try await shop.consumed()
            try await shop.ship(1)
            #expect(try await shop.ask("m1") == .accepted)
            #expect(try await shop.messages(3, "suppressed").allSatisfy { $0["channel"] == .null })
        }
    }

    @Test("a message that waited for an address is given up")
    func waiting() async throws {
        try await NotificationShop.open { shop in
            try await shop.ship(1)
            _ = try await shop.messages(1, "queued")
            try await shop.erase()
            _ = try await shop.messages(1, "suppressed")
        }
    }
}
