import Chassis
import ChassisStorage
import ChassisTesting
import Foundation
import HTTPTypes
import Testing

extension SystemTests {
    /// `souk audit`, on a shop that runs and on one that is stopped.
    @Suite(.logsOnFailure) struct AuditTests {
        /// Runs `body` with a shop of its own, which it may stop.
        private func withShop(_ body: (SystemShop) async throws -> Void) async throws {
            let shop = try SystemShop()
            do {
                try await shop.open(customers: 1)
                try await SystemShop.$current.withValue(shop) { try await body(shop) }
            } catch {
                await shop.close()
                throw error
            }
            await shop.close()
        }

        /// Some orders of every kind.
        private func trade(in shop: SystemShop) async throws {
            let customer = shop.customers[0]
            let product = try await shop.addProduct(stock: 50)
            for method in ["tok_visa", "tok_declined", "tok_flaky", "tok_timeout", "tok_visa"] {
                let id = try await shop.order(product, quantity: 2, method: method, by: customer)
                _ = try await shop.outcome(of: id, of: customer)
            }
            let reply = try await shop.client.post(
                "/api/orders", ["productId": .integer(product), "quantity": 1], as: customer.caller, headers: [.idempotency: "audited"])
            let id = try #require(reply.json["id"].integer)
            #expect(try await shop.outcome(of: id, of: customer)["status"] == "paid")
            #expect(try await shop.client.post("/api/orders/\(id)/cancel", as: customer.caller).status == .ok)
        }

        private func document(_ text: String) throws -> JSONValue {
            try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        }

        private func files(of shop: SystemShop) throws -> Set<String> {
            Set(try FileManager.default.contentsOfDirectory(atPath: shop.directory.path).filter { !$0.hasPrefix("command-") })
        }

        @Test("a shop after real orders passes, running and stopped; a mistake planted into it is named", .timeLimit(.minutes(3)))
        func audit() async throws {
            try await withShop { shop async throws in
                try await trade(in: shop)
                let running = try await shop.command("audit", "--json")
                #expect(running.status == 0, "\(running.text)")
                let invariants = try document(running.text)["invariants"].array
                #expect(try document(running.text)["holds"] == true && invariants.count > 20)
                #expect(invariants.allSatisfy { $0["outcome"] == "holds" })
                try await shop.expectSettledBooks()

                await shop.souk.stop()
                let before = try files(of: shop)
                let stopped = try await shop.command("audit", "--settled", "--json")
                #expect(stopped.status == 0, "\(stopped.text)")
                #expect(try document(stopped.text)["invariants"].count > invariants.count)
                #expect(try files(of: shop) == before, "an audit leaves nothing behind")
                try await expectMissingIsSaid(in: shop)
                try await expectPlantedIsNamed(in: shop)
            }
        }

        private func expectMissingIsSaid(in shop: SystemShop) async throws {
            let (file, aside) = (shop.directory.appending(path: "notifications.sqlite"), shop.directory.appending(path: "aside"))
            try FileManager.default.moveItem(at: file, to: aside)
            let (status, text) = try await shop.command("audit")
            #expect(status == 2 && text.contains("notifications.sqlite") && text.contains("were not checked"), "\(text)")
            #expect(!FileManager.default.fileExists(atPath: file.path))
            try FileManager.default.moveItem(at: aside, to: file)
        }

        private func expectPlantedIsNamed(in shop: SystemShop) async throws {
            try shop.tamper("products", "UPDATE products SET on_hand = on_hand + 1 WHERE id = 1")
            let (status, text) = try await shop.command("audit")
            #expect(status == 1, "\(text)")
            let lines = text.split(separator: "\n")
            #expect(lines.contains { $0.contains("✗") && $0.contains("stock-balances") }, "\(text)")
            #expect(lines.contains { $0.contains("product 1 has") } && text.contains("1 of "), "\(text)")
            let json = try await shop.command("audit", "--json")
            let violated = try document(json.text)["invariants"].array.filter { $0["outcome"] == "violated" }
            #expect(json.status == 1 && violated.map { $0["name"] } == ["stock-balances"])
            #expect(violated.first?["count"] == 1 && violated.first?["violations"][0]["id"] == "product 1")
        }

        @Test("a folder without a shop is said, and stays empty", .timeLimit(.minutes(1)))
        func nothing() async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "souk-nothing-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let output = folder.appendingPathExtension("log")
            let process = try SoukProcess(["audit", "--data-dir", folder.path], output: output)
            #expect(try await process.waitForExit() == 2)
            #expect(process.text.contains("there are no databases of a shop in"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
            try? FileManager.default.removeItem(at: output)
        }
    }
}
