import ArgumentParser
import Chassis
import Commerce
import Contracts
import Foundation
import HTTPTypes

struct DeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead", abstract: "Shows and settles what has failed for the last time: events and jobs that wait for a person.",
        subcommands: [List.self, Show.self, Replay.self, Discard.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the dead letters of all services.")
        @OptionGroup var options: ShopOptions

        func run() async throws {
            let letters = try await ShopClient.with(options) { client in
                var letters: [(ServiceName, DeadLetterView)] = []
                for service in Fleet.services where service != .gateway {
                    letters += try await client.service(service).get("/internal/dead-letters", as: [DeadLetterView].self).map {
                        (service, $0)
                    }
                }
                return letters
            }
            guard !letters.isEmpty else { return Console.print("No dead letters.") }
            var table = TextTable("ID", "TYPE", "ABOUT", "ATTEMPTS", "SINCE", "ERROR")
            for (service, letter) in letters {
                table.add(
                    "\(service.rawValue)/\(letter.id)", letter.type, letter.subject ?? "-", "\(letter.attempts)", letter.since,
                    String(letter.error.prefix(100)))
            }
            Console.print(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one dead letter with what it carries.")
        @OptionGroup var options: ShopOptions
        @Argument(help: "As `souk dead list` names it, for example payment-service/job-12.") var id: DeadLetterName

        func run() async throws {
            let letter = try await ShopClient.with(options) { client in
                try await client.service(id.service).get("/internal/dead-letters/\(id.letter)", as: JSONValue.self)
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            Console.print(String(decoding: try encoder.encode(letter), as: UTF8.self))
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Tries a dead letter again.")
        @OptionGroup var options: ShopOptions
        @Argument(help: "As `souk dead list` names it.") var id: DeadLetterName

        func run() async throws {
            _ = try await ShopClient.with(options) { client in
                try await client.service(id.service).post(
                    "/internal/dead-letters/\(id.letter)/replay", body: nil, idempotent: false, as: NoReply.self)
            }
            Console.print("\(id.description) was replayed.")
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Gives a dead letter up for good.")
        @OptionGroup var options: ShopOptions
        @Argument(help: "As `souk dead list` names it.") var id: DeadLetterName

        func run() async throws {
            _ = try await ShopClient.with(options) { client in
                try await client.service(id.service).send(
                    .delete, "/internal/dead-letters/\(id.letter)", idempotent: true, as: NoReply.self)
            }
            Console.print("\(id.description) was discarded.")
        }
    }
}

/// A dead letter as the services list it.
struct DeadLetterView: Decodable, Sendable {
    let id: String
    let type: String
    let subject: String?
    let error: String
    let attempts: Int
    let since: String
}

/// `payment-service/job-12`.
struct DeadLetterName: ExpressibleByArgument, CustomStringConvertible {
    let service: ServiceName
    let letter: String

    init?(argument: String) {
        let parts = argument.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let service = ServiceName(rawValue: String(parts[0])) else { return nil }
        self.service = service
        letter = String(parts[1])
    }

    var description: String { "\(service.rawValue)/\(letter)" }
}
