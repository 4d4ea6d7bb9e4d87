public import ArgumentParser
import Chassis

/// The command line of Souk.
public struct Souk: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "souk",
        abstract: "Runs and looks after a Souk: a shop backend of small services behind one gateway.",
        version: "souk \(SoukVersion.current)",
        subcommands: [
            UpCommand.self, ServeCommand.self, StatusCommand.self, DeadCommand.self, AuditCommand.self, DemoCommand.self,
            SimulateCommand.self, ChaosCommand.self, VersionCommand.self,
        ])

    public init() {}

    /// Reads the process's arguments and does what they say.
    public static func launch() async {
        await main()
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints which Souk this is.")

    func run() {
        Console.print("souk \(SoukVersion.current)")
    }
}
