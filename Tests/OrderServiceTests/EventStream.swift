import AsyncHTTPClient
import ChassisTesting
import NIOCore
import NIOHTTP1

/// Reads Server-Sent Events from a service under test. Releasing it hangs up.
struct EventStream: Sendable {
    let status: UInt
    let contentType: String?
    private let blocks: AsyncThrowingStream<String, any Error>

    /// Follows an order as its owner.
    static func open(_ shop: TestShop, _ id: Int64) async throws -> EventStream {
        var request = HTTPClientRequest(url: "\(shop.client.baseURL)/api/orders/\(id)/events")
        if let authorization = try shop.identities.authorization(of: .user(1)) {
            request.headers.add(name: "Authorization", value: authorization)
        }
        return EventStream(try await Self.client.execute(request, timeout: .seconds(60)))
    }

    /// Open streams hold their connections, and the shared client has but eight for each host.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    private init(_ response: HTTPClientResponse) {
        status = response.status.code
        contentType = response.headers.first(name: "Content-Type")
        blocks = AsyncThrowingStream { continuation in
            let reading = Task {
                do {
                    var text = ""
                    for try await chunk in response.body {
                        text += String(buffer: chunk)
                        while let end = text.firstRange(of: "\n\n") {
                            continuation.yield(String(text[..<end.lowerBound]))
                            text.removeSubrange(..<end.upperBound)
                        }
                    }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in reading.cancel() }
        }
    }

    /// The next event's id and status, such as `2 paid`; nil at the end of the stream.
    func event() async throws -> String? {
        for try await block in blocks {
            if let match = block.firstMatch(of: /id: (\d+)\nevent: status\ndata: .*"status":"([a-z]+)"/) { return "\(match.1) \(match.2)" }
        }
        return nil
    }
}
