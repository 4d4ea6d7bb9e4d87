public import Contracts
import Foundation
import Logging
import Metrics
import NIOPosix
import UnixSignals

/// The whole of a service's `main`: reads its settings, builds it, runs it until a signal.
///
/// ```swift
/// await Launch.service(.orders, settings: OrderService.Settings.init, assemble: OrderService.assemble)
/// ```
public enum Launch {
    /// Runs one service as this process. Returns after a graceful stop; exits with 64 on wrong settings and 1 when the service fails.
    ///
    /// - Parameter arguments: the command line, beginning with the program's name.
    public static func service<Settings>(
        _ name: ServiceName, _ arguments: [String] = CommandLine.arguments, settings: (SettingsReader) -> Settings,
        assemble: (Settings, Platform) async throws -> Service
    ) async {
        if arguments.contains("--version") { return print("\(name.rawValue) \(SoukVersion.current)") }
        do {
            try await run(name, arguments: arguments, settings, assemble)
        } catch let error as SettingsError {
            complain("\(name.rawValue) cannot start:\n\(error)")
            exit(64)
        } catch {
            complain("\(name.rawValue) stopped: \(error)")
            exit(1)
        }
    }

    private static func run<Settings>(
        _ name: ServiceName, arguments: [String], _ read: (SettingsReader) -> Settings,
        _ assemble: (Settings, Platform) async throws -> Service
    ) async throws {
        let reader = SettingsReader.fromProcess(arguments: arguments, environment: ProcessInfo.processInfo.environment)
        let settings = try ServiceSettings(reader, for: name)
        let own = read(reader)
        let exitsWithParent = reader.choice("exit.with.parent", default: Switch.false, "Whether to stop when standard input ends.") == .true
        if arguments.contains("--help") { return print(SettingsHelp.text(for: name, reader.entries)) }
        try reader.finish()
        LogSystem.bootstrap(service: name.rawValue, level: settings.logLevel, format: settings.logFormat)
        OpenFileLimit.raise(logger: Logger(label: name.rawValue))
        let metrics = PrometheusRegistry()
        MetricsSystem.bootstrap(metrics)
        // One loop is enough for a service: most of its work is on the database's threads, and a second loop costs a fifth more processor time.
        let eventLoopGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let platform = Platform(
            service: name, settings: settings, logger: Logger(label: name.rawValue),
            transport: .asyncHTTPClient(eventLoopGroup: eventLoopGroup), eventLoopGroup: eventLoopGroup,
            metrics: metrics)
        let exporter = TracingSetup.bootstrap(settings, service: name.rawValue, transport: platform.transport, logger: platform.logger)
        if exitsWithParent { Lifeline.stopWhenInputEnds() }
        if settings.serviceSecretIsGenerated {
            platform.logger.warning("SERVICE_SECRET is not set: other services cannot call this one")
        }
        do {
            let service = try await assemble(own, platform)
            let host = ServiceHost(service, platform: platform, exporter: exporter)
            try await ServiceExecutor.run(on: EventLoopTaskExecutor(eventLoopGroup.next())) {
                try await host.run(gracefulShutdownSignals: [.sigterm, .sigint])
            }
        } catch {
            await platform.transport.shutDown()
            throw error
        }
        await platform.transport.shutDown()
    }

    private enum Switch: String, CaseIterable { case `true`, `false` }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
