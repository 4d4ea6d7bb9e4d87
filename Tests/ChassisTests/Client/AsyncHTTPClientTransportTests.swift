import Foundation
import HTTPTypes
import NIOCore
import NIOPosix
import Testing

@testable import Chassis

@Suite("Requests over real sockets")
struct AsyncHTTPClientTransportTests {
    /// Runs a server for the length of `body`, which gets its address and a transport.
    private func withServer(_ body: (String, HTTPTransport) async throws -> Void) async throws {
        let server = try await CannedServer.start()
        let transport = HTTPTransport.asyncHTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let outcome: Result<Void, any Error>
        do {
            try await body(server.address, transport)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await transport.shutDown()
        try await server.stop()
        try outcome.get()
    }

    private func failure(_ transport: HTTPTransport, _ url: String, timeout: Duration = .seconds(10)) async -> TransportError? {
        do throws(TransportError) {
            _ = try await transport.send(OutboundRequest(method: .get, url: url), timeout: timeout)
            return nil
        } catch {
            return error
        }
    }

    @Test("method, headers, body and status cross the wire, one request after the other")
    func exchange() async throws {
        try await withServer { address, transport in
            for number in 0..<3 {
                let request = OutboundRequest(
                    method: .post, url: address + "/echo", headers: [.eTag: "\"\(number)\""], body: Data("hello".utf8))
                let response = try await transport.send(request, timeout: .seconds(10))
                #expect(response.status == .created)
                #expect(response.headers[.eTag] == "\"\(number)\"")
                #expect(response.body == Data("hello".utf8))
            }
        }
    }

    @Test("redirects are not followed")
    func redirects() async throws {
        try await withServer { address, transport in
            let response = try await transport.send(OutboundRequest(method: .get, url: address + "/moved"), timeout: .seconds(10))
            #expect(response.status == .found)
        }
    }

    @Test("an answer above 10 MB is not read to its end")
    func largeAnswer() async throws {
        try await withServer { address, transport in
            #expect(await failure(transport, address + "/large") == .replyTooLarge)
        }
    }

    @Test("the time limit covers the body, and a cancelled task gets free")
    func timeAndCancellation() async throws {
        try await withServer { address, transport in
            #expect(await failure(transport, address + "/stuck", timeout: .milliseconds(150)) == .timedOut)
            let task = Task { await failure(transport, address + "/stuck", timeout: .seconds(3000)) }
            task.cancel()
            #expect(await task.value == .cancelled)
        }
    }

    @Test("where nobody listens is told at once, and after the end of the transport nothing goes out")
    func notConnected() async throws {
        // A port that was free a moment ago.
        let server = try await CannedServer.start()
        try await server.stop()
        let transport = HTTPTransport.asyncHTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton)
        let start = ContinuousClock.now
        #expect(await failure(transport, server.address) == .notConnected)
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(await failure(transport, "not a url") == .invalidRequest)
        #expect(await failure(transport, "ftp://127.0.0.1/") == .invalidRequest)
        await transport.shutDown()
        #expect(await failure(transport, server.address) == .notConnected)
    }
}
