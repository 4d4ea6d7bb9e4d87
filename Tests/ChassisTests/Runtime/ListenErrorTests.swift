import ChassisTesting
import Contracts
import NIOCore
import NIOPosix
import Testing

@testable import Chassis

@Suite("An address that cannot be listened at", .timeLimit(.minutes(1)))
struct ListenErrorTests {
    @Test("a port that is in use ends the start with a sentence that says which")
    func inUse() async throws {
        let harness = try ServiceHarness(.orders)
        let taken = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(taken.localAddress?.port)
        var service = Service(.orders, authenticator: harness.platform.authenticator())
        service.address = Service.Address(host: "127.0.0.1", port: port)
        let host = ServiceHost(service, platform: harness.platform)
        let error = await #expect(throws: ListenError.self) { try await host.run() }
        #expect(error?.description == "cannot listen at 127.0.0.1, port \(port): Address already in use")
        try await taken.close()
    }

    @Test("another error is told as it is")
    func another() async {
        await #expect(throws: CancellationError.self) {
            try await ListenError.naming(host: "127.0.0.1", port: 1) { throw CancellationError() }
        }
        let error = await #expect(throws: IOError.self) {
            try await ListenError.naming(host: "127.0.0.1", port: 1) { throw IOError(errnoCode: 32, reason: "write") }
        }
        #expect(error?.errnoCode == 32)
    }
}
