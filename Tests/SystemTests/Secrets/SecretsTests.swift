import Chassis
import ChassisTesting
import Contracts
import Crypto
import Foundation
import HTTPTypes
import Testing

/// Passwords, tokens, keys and card numbers are in no log, event, error, address, trace or metric, and in no file but where they belong.
extension SystemTests {
    @Suite(.timeLimit(.minutes(5))) struct SecretsTests {
        private let administrator = Canary.password("the administrator's password")
        private let mail = Canary.password("the mail server's password")
        private let messages = Canary.password("the token for text messages")

        @Test("the search finds a secret wherever it is put, and however it is written")
        func searchFinds() {
            let canary = Canary.password("a password")
            for disguise in canary.disguises {
                #expect(Evidence(place: "", bytes: Data("{\"a\":\"".utf8) + disguise + Data("\"}".utf8)).holds(canary))
            }
            #expect(Set(canary.disguises).count >= 4)
            #expect(!Evidence(place: "", bytes: Data("Canary-".utf8)).holds(canary))
            let token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI0MiIsInJvbGUiOiJhZG1pbiJ9"
            #expect(Evidence(place: "", bytes: Data("x \(token).c2ln y".utf8)).tokens == [token])
        }

        @Test("nothing that a whole shop writes or says holds a secret, at the most talkative level of its logs")
        func wholeShop() async throws {
            try await Collector.run { collector, address in
                let shop = try SystemShop(administratorPassword: administrator.text, environment: environment(address))
                do {
                    try await visit(shop, collector)
                } catch {
                    await shop.close()
                    throw error
                }
                await shop.close()
            }
        }

        /// A mail server that is not there, so that mail waits and fails; a provider of text messages that is.
        private func environment(_ collector: String) -> [String: String] {
            [
                "LOG_LEVEL": "trace", "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
                // Port 9 of the loopback is discard's, where nobody listens.
                "SMTP_URL": "smtp://shop:\(mail.text)@127.0.0.1:9",
                "SMS_URL": collector, "SMS_ACCOUNT": "shop", "SMS_TOKEN": messages.text,
            ]
        }

        private func visit(_ shop: SystemShop, _ collector: Collector) async throws {
            try await shop.open(customers: 1)
            var visit = SecretiveVisit(in: shop)
            try await visit.run()
            let said = try await spoken(shop)
            let written = try Evidence.files(in: shop.directory)
            let lines = try commandLines(shop)
            let secrets = try await ShopSecrets(of: shop)
            await shop.souk.stop()
            let left = try Evidence.files(in: shop.directory)
            let sent = collector.received.map { Evidence(place: "what the shop sent out", bytes: $0) }

            let homeOfKey: Set<String> = ["users.sqlite", "users.sqlite-wal"]
            let canaries =
                visit.canaries + [
                    administrator, mail, messages, Canary("the service secret", secrets.serviceSecretText, home: ["service.secret"]),
                    Canary("the signing key", bytes: secrets.signingKey.rawRepresentation, home: homeOfKey),
                ]
            let evidence = visit.refusals + said + written + lines + left + sent
            expectNone(of: canaries, in: evidence)
            expectHomes(of: canaries, in: left)
            expectWitnesses(visit.refusals, said, left, lines, sent)
        }

        /// No secret anywhere but at home, and no token of anybody's at all.
        private func expectNone(of canaries: [Canary], in evidence: [Evidence]) {
            #expect(canaries.count > 30 && evidence.count > 60)
            for piece in evidence {
                for canary in canaries where !canary.home.contains(piece.place) {
                    #expect(!piece.holds(canary), "\(canary) is in \(piece.place)")
                }
                #expect(piece.tokens == [], "a token is in \(piece.place)")
            }
        }

        /// The search finds what is where it should be.
        private func expectHomes(of canaries: [Canary], in files: [Evidence]) {
            for canary in canaries where !canary.home.isEmpty {
                #expect(files.contains { canary.home.contains($0.place) && $0.holds(canary) }, "\(canary) is not where it belongs")
            }
        }

        /// What was searched holds what it should hold: it is not empty, old, or of another shop.
        private func expectWitnesses(
            _ refusals: [Evidence], _ said: [Evidence], _ files: [Evidence], _ lines: [Evidence], _ sent: [Evidence]
        ) {
            func expect(_ text: String, in evidence: [Evidence], _ place: String? = nil) {
                let pieces = evidence.filter { place == nil || $0.place == place }
                #expect(pieces.contains { $0.holds(text) }, "\(text) is not in \(place ?? "any") of \(evidence.map(\.place))")
            }
            expect("Invalid credentials", in: refusals)
            expect("/api/users/login", in: said, "the metrics of user-service")
            expect("souk.user.registered", in: said, "the events of user-service")
            expect("souk.order.placed", in: said, "the events of order-service")
            expect(SecretiveVisit.city, in: files, "orders.sqlite")
            expect("tok_visa", in: files, "payments.sqlite")
            expect("+4912345678", in: files, "notifications.sqlite")
            expect(SecretiveVisit.requestID, in: files, "logs/api-gateway.log")
            expect("Souk is open", in: files, "souk.log")
            for service in ServiceName.allCases {
                expect("listening", in: files, "logs/\(service.rawValue).log")
                expect("serve\0\(service.rawValue)", in: lines)
                if service != .gateway { expect("\"\(service.rawValue)\"", in: sent) }
            }
            expect("POST /api/orders", in: sent)
            expect("Body=", in: sent)
        }

        /// What services tell whoever asks them, and what the command line prints.
        private func spoken(_ shop: SystemShop) async throws -> [Evidence] {
            let service = TestCaller.header(try await ShopSecrets(of: shop).authorizationOfService())
            var found: [Evidence] = []
            for name in ServiceName.allCases {
                let client = try shop.direct(name)
                let paths =
                    ["/metrics": "the metrics", "/health": "the health"].merging(
                        name == .gateway
                            ? [:]
                            : [
                                "/internal/status": "the status", "/internal/events?after=0&limit=500": "the events",
                                "/internal/dead-letters": "the dead letters",
                            ]
                    ) { $1 }
                for (path, what) in paths {
                    let reply = try await client.get(path, as: service)
                    #expect(reply.status == .ok, "\(path) of \(name): \(reply.text)")
                    found.append(Evidence(place: "\(what) of \(name.rawValue)", bytes: reply.body))
                }
            }
            for path in ["/api/notifications?limit=200", "/api/users?limit=200", "/api/orders?limit=200"] {
                found.append(Evidence(place: path, bytes: try await shop.client.get(path, as: shop.administrator).body))
            }
            for arguments in [["status"], ["dead", "list"], ["audit", "--json"]] {
                let text = try await shop.command(arguments).text
                found.append(Evidence(place: "souk \(arguments.joined(separator: " "))", bytes: Data(text.utf8)))
            }
            return found
        }

        /// The command lines of all processes of the shop, which everybody on the machine can read.
        private func commandLines(_ shop: SystemShop) throws -> [Evidence] {
            guard ProcessTable.isReadable else { return [] }
            let ids = try ProcessTable.services(of: shop.souk.id).values + [shop.souk.id]
            return try ids.map { id in
                Evidence(place: "the command line of \(id)", bytes: try Data(contentsOf: URL(filePath: "/proc/\(id)/cmdline")))
            }
        }
    }
}
