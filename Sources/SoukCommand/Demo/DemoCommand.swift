import ArgumentParser
import Contracts
import Foundation

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Visits the running shop as a customer: from registering to the paid order and its email.")

    @OptionGroup var options: ShopOptions

    @Option(help: "How many seconds the order may take to be paid.")
    var patience = 20

    func run() async throws {
        try await ShopClient.with(options) { client in
            let api = PublicAPI(gateway: client.shop.address(of: .gateway), transport: client.transport)
            try await DemoVisit(api: api, patience: .seconds(patience)).run()
        }
    }
}

/// Something in the visit was not as it should be.
struct DemoError: Error, CustomStringConvertible {
    let description: String
}
