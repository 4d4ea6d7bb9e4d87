import Chassis
import ChassisStorage
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

/// Text is text, whatever it looks like: in SQL, headers, logs, templates, paths and mail.
extension SystemTests {
    @Suite(.shop(), .logsOnFailure) struct InjectionTests: ShopSuite {
        @Test("every place for text in a body has a request to stand in", .timeLimit(.minutes(1)))
        func placesAreComplete() throws {
            let places = try TextPlace.all()
            #expect(places.count > 80)
            #expect(places.filter { !InjectedRequests.canWrite(into: $0) }.map(\.description) == [])
            for known in [
                "POST /api/orders body(\"/shippingAddress/postalCode\")", "GET /api/products query(\"search\")",
                "POST /api/users/register body(\"/name\")", "PATCH /api/products/{id} header(\"If-Match\")",
                "GET /api/orders/user/{userId} path(\"userId\")", "POST /api/products header(\"Idempotency-Key\")",
            ] {
                #expect(places.contains { $0.description == known }, "\(known)")
            }
        }

        @Test(
            "in every place of every route: no failure; what is stored comes back byte by byte, or is refused with 400",
            .timeLimit(.minutes(5)))
        func everyPlace() async throws {
            let tables = try await self.tables()
            let requests = try await InjectedRequests(in: shop)
            var found = Findings()
            var number = 0
            for place in try TextPlace.all() {
                // A password is hashed and nothing else; and who tries many is held up.
                let payloads =
                    place.description.lowercased().contains("password\")") || place.operation.hasSuffix("/login")
                    ? Array(Payload.all.prefix(3)) : Payload.all
                for payload in payloads {
                    number += 1
                    try await inject(payload, in: place, number, requests, &found)
                }
            }
            #expect(found.stored > 100 && found.refused > 300, "\(found)")
            try await expectHarmlessMessages(found)
            try expectHarmlessLogs()
            #expect(try await self.tables() == tables)
            try await shop.expectSettledBooks()
        }

        private struct Findings {
            var stored = 0
            var refused = 0
            /// The names of those who were registered, by their ids.
            var names: [Int64: String] = [:]
        }

        private func inject(
            _ payload: Payload, in place: TextPlace, _ number: Int, _ requests: InjectedRequests, _ found: inout Findings
        ) async throws {
            let name = "\(payload) in \(place)"
            var text = payload.text(atMost: place.longest)
            if case .body(let pointer) = place.kind, pointer == "/email" { text = InjectedRequests.email(payload.text) }
            let sent = try await requests.send(text, in: place, number: number)
            #expect((200..<500).contains(sent.status), "\(name): \(sent.status) \(sent.answer)")
            #expect(!sent.head.lowercased().contains("set-cookie"), "\(name): \(sent.answer)")
            guard (200..<300).contains(sent.status) else { return found.refused += 1 }
            guard case .body(let pointer) = place.kind else { return }
            guard let stored = try await requests.stored(by: sent, in: place, pointer: pointer, text: text) else { return }
            found.stored += 1
            // Swift takes texts for equal that are written differently; bytes are not.
            let expected = text.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(stored.string.map { Array($0.utf8) } == Array(expected.utf8), "\(name): \(stored)")
            if place.operation == "POST /api/users/register", let id = sent.json["id"].integer {
                found.names[id] = sent.json["name"].string
            }
        }

        /// No payload has become markup or part of a template, and each stands as it was written in the text that it belongs to.
        private func expectHarmlessMessages(_ found: Findings) async throws {
            let welcomes = try await eventually("everybody is welcomed") {
                let all = try await shop.all("/api/notifications?limit=200", as: administrator)
                let welcomes = all.filter { $0["kind"] == "welcome" && found.names[$0["userId"].integer ?? 0] != nil }
                return welcomes.count == found.names.count ? welcomes : nil
            }
            #expect(found.names.values.contains { $0.contains("<script>") } && found.names.values.contains { $0.contains("{{token}}") })
            for message in welcomes {
                let name = try #require(found.names[message["userId"].integer ?? 0])
                #expect(message["subject"].string == "Welcome to Souk, \(name)")
                #expect(message["text"].string?.contains("Hello \(name),") == true)
            }
            for message in try await shop.all("/api/notifications?limit=200", as: administrator) {
                let html = message["html"].string ?? ""
                #expect(!html.contains("<script") && !html.contains("<img"), "\(html)")
                #expect(message["subject"].string?.unicodeScalars.contains { $0.value < 0x20 } == false, "\(message)")
            }
        }

        /// Every line of every log is one JSON object, of a level and a message that the program wrote.
        private func expectHarmlessLogs() throws {
            let folder = shop.directory.appending(path: "logs")
            var mentions = 0
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
                let bytes = try Data(contentsOf: folder.appending(path: name))
                #expect(!bytes.contains { $0 < 0x20 && $0 != UInt8(ascii: "\n") || $0 == 0x7F }, "\(name) holds control characters")
                for line in bytes.split(separator: UInt8(ascii: "\n")) {
                    let text = String(decoding: line, as: UTF8.self)
                    mentions += text.contains(Payload.mark) ? 1 : 0
                    let record = try? JSONValue.parse(Data(line))
                    #expect(record?["message"].string?.isEmpty == false, "\(name): \(text)")
                    #expect(record?["message"] != "forged" && record?["level"] != "critical" && record?["role"] == .null, "\(text)")
                }
            }
            // A path with a payload stands in the gateway's log: what is searched is there.
            #expect(mentions > 0, "no payload ever reached a log")
        }

        /// The names of all tables.
        private func tables() async throws -> [String] {
            var found: [String] = []
            for name in ["users", "products", "orders", "payments", "notifications"] {
                let database = try await shop.openForReading(name)
                found += try await database.read { transaction in
                    try transaction.all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") { row in
                        let table: String = try row["name"]
                        return "\(name).\(table)"
                    }
                }
                await database.close()
            }
            return found
        }

        @Test(
            "headers that every request may have are taken as text or refused, and none is told back or passed on broken",
            .timeLimit(.minutes(1)))
        func commonHeaders() async throws {
            let requests = try await InjectedRequests(in: shop)
            _ = try await client.get("/api/products/\(Payload.mark)")
            for name in [
                "X-Request-Id", "traceparent", "tracestate", "baggage", "Authorization", "User-Agent", "X-Forwarded-For", "Forwarded",
                "Accept",
                "Cookie", "Referer", "Origin", "Host", "X-Souk-Deadline", "Content-Language",
            ] {
                for payload in Payload.all {
                    let sent = try requests.sendRaw(.get, "/api/products?limit=1", nil, name, payload.text, as: .anonymous)
                    #expect([200, 400, 401].contains(sent.status), "\(payload) in \(name): \(sent.answer)")
                    #expect(!sent.head.contains(Payload.mark) && !sent.head.contains("a=b"), "\(payload) in \(name): \(sent.answer)")
                }
            }
            try expectHarmlessLogs()
        }
    }
}
