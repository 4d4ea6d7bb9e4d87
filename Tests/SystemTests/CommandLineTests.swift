import Chassis
import ChassisTesting
import Contracts
import Foundation
import HTTPTypes
import Testing

/// What a person meets at the terminal.
extension SystemTests {
    @Suite(.shop(), .logsOnFailure) struct CommandLineTests: ShopSuite {
        @Test("souk version says which Souk this is", .timeLimit(.minutes(1)))
        func version() async throws {
            let process = try SoukProcess(["version"], output: shop.directory.appending(path: "version.log"))
            #expect(try await process.waitForExit() == 0)
            #expect(process.text == "souk \(SoukVersion.current)\n")
        }

        @Test("a service's own executable and souk serve are the same program", .timeLimit(.minutes(1)), arguments: ServiceName.allCases)
        func ownExecutable(_ service: ServiceName) async throws {
            let logs = shop.directory.appending(path: "help-\(service.rawValue)")
            let own = try SoukProcess(executable: service.rawValue, ["--help"], output: logs.appendingPathExtension("own"))
            let served = try SoukProcess(["serve", service.rawValue, "--help"], output: logs.appendingPathExtension("served"))
            #expect(try await own.waitForExit() == 0)
            #expect(try await served.waitForExit() == 0)
            #expect(own.text == served.text && own.text.contains("SERVICE_SECRET"))
        }

        @Test("souk serve names the services there are", .timeLimit(.minutes(1)))
        func serveNobody() async throws {
            let process = try SoukProcess(["serve", "cart-service"], output: shop.directory.appending(path: "serve.log"))
            #expect(try await process.waitForExit() != 0)
            #expect(process.text.contains("There is no such service.") && process.text.contains("One of: api-gateway, user-service"))
        }

        @Test("souk up says where to go", .timeLimit(.minutes(1)))
        func welcome() {
            let gateway = "http://127.0.0.1:\(shop.portBase)"
            for line in ["Souk is open after", gateway, "\(gateway)/health", "curl \(gateway)/api/products", "Ctrl-C stops it all."] {
                #expect(shop.souk.text.contains(line), "\(line) is not in\n\(shop.souk.text)")
            }
        }

        @Test("souk demo visits the shop and tells each step", .timeLimit(.minutes(1)))
        func demo() async throws {
            let (status, text) = try await shop.command("demo")
            #expect(status == 0, "\(text)")
            for step in [
                "Registered as", "Logged in", "Searched for", "with two lines", "Idempotency-Key", "is paid", "has written", "All is well.",
            ] {
                #expect(text.contains(step), "\(step) is not in\n\(text)")
            }
        }

        @Test("souk status shows every service as healthy", .timeLimit(.minutes(1)))
        func status() async throws {
            let (status, text) = try await shop.command("status")
            #expect(status == 0, "\(text)")
            let lines = text.split(separator: "\n")
            #expect(lines.first?.contains("SERVICE") == true && lines.first?.contains("DEAD LETTERS") == true)
            for service in ServiceName.allCases {
                #expect(
                    lines.contains { $0.hasPrefix(service.rawValue) && $0.contains("healthy") && !$0.contains("unhealthy") },
                    "\(service)\n\(text)")
            }
        }

        @Test("souk dead list is empty in a shop where nothing failed", .timeLimit(.minutes(1)))
        func deadList() async throws {
            let (status, text) = try await shop.command("dead", "list")
            #expect(status == 0 && text == "No dead letters.\n")
        }

        @Test(
            "commands about a shop that does not run say so", .timeLimit(.minutes(1)), arguments: [["status"], ["dead", "list"], ["demo"]])
        func noShop(_ arguments: [String]) async throws {
            let process = try SoukProcess(
                arguments + ["--data-dir", shop.directory.appending(path: "nothing").path],
                output: shop.directory.appending(path: "none-\(UUID().uuidString).log"))
            #expect(try await process.waitForExit() != 0)
            #expect(process.text.contains("No shop is running from"))
        }

        @Test("ports in use end the start with a clear sentence, and the shop that has them goes on", .timeLimit(.minutes(1)))
        func portsInUse() async throws {
            let process = try SoukProcess(
                [
                    "up", "--exit-with-parent", "--port-base", "\(shop.portBase)", "--data-dir",
                    shop.directory.appending(path: "second").path,
                ],
                output: shop.directory.appending(path: "second.log"))
            #expect(try await process.waitForExit() != 0)
            #expect(process.text.contains("These ports are in use: \(shop.portBase)"))
            #expect(process.text.contains("--port-base"))
            #expect(try await client.get("/health").status == .ok)
        }

        @Test("a second shop over the same data is refused", .timeLimit(.minutes(1)))
        func sameDirectory() async throws {
            let base = try FreePorts.base()
            let process = try SoukProcess(
                ["up", "--exit-with-parent", "--port-base", "\(base)", "--data-dir", shop.directory.path],
                output: shop.directory.appending(path: "same.log"))
            #expect(try await process.waitForExit() != 0)
            #expect(process.text.contains("A shop runs from"))
            #expect(try await shop.command("status").status == 0)
        }
    }
}
