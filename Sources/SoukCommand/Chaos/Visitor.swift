import Chassis
import Foundation
import HTTPTypes
import Synchronization

/// Somebody with an account in the shop. A token that has run out is replaced by logging in again.
final class Visitor: Sendable {
    /// What a visitor got for a request.
    enum Reply: Sendable {
        case answered(HTTPResponse.Status, Data)
        /// No answer, or one that says "later": what happened is not known.
        case hindered(String)
    }

    /// So long a visitor waits for an answer: less than the gateway does, so that repeats overtake what is still under way.
    private static let patience = Duration.seconds(5)

    private let api: PublicAPI
    private let email: String
    private let password: String
    private let token = Mutex<String?>(nil)

    init(_ api: PublicAPI, email: String, password: String) {
        self.api = api
        self.email = email
        self.password = password
    }

    /// An account of its own, made while the shop is well.
    static func registered(_ api: PublicAPI, number: Int) async throws -> Visitor {
        let visitor = Visitor(api, email: "customer-\(number)@example.com", password: Randomness.system.hex(bytes: 12))
        let account: JSONValue = .object([
            "name": .string("Customer \(number)"), "email": .string(visitor.email), "password": .string(visitor.password),
        ])
        let response = try await api.send(.post, "/api/users/register", account, timeout: .seconds(30))
        guard response.status == .created else { throw ChaosError.unprepared("a customer cannot register: \(response.status)") }
        try await visitor.logIn()
        return visitor
    }

    /// - Parameter limit: generous, because passwords are expensive by intent and many log in at once.
    func logIn(within limit: Duration = .seconds(30)) async throws {
        let response = try await api.send(
            .post, "/api/users/login", .object(["email": .string(email), "password": .string(password)]), timeout: limit)
        guard response.status == .ok else { throw ChaosError.unprepared("\(email) cannot log in: \(response.status)") }
        let session = try JSON.decode(Session.self, from: response.body)
        token.withLock { $0 = session.accessToken }
    }

    private struct Session: Decodable {
        let accessToken: String
    }

    func ask(_ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, key: String? = nil) async throws -> Reply {
        do {
            let response = try await api.send(method, path, body, token: token.withLock { $0 }, key: key, timeout: Self.patience)
            return try await read(response)
        } catch let error as TransportError {
            guard error != .cancelled else { throw CancellationError() }
            return .hindered(Self.sentence(for: error))
        }
    }

    /// Asks until there is an answer.
    func patientlyGet(_ path: String) async throws -> InboundResponse {
        let end = ContinuousClock.now + .seconds(30)
        while true {
            let response = try? await api.send(.get, path, token: token.withLock { $0 }, timeout: Self.patience)
            if let response, case .answered = try await read(response) { return response }
            guard ContinuousClock.now < end else { throw ChaosError.unprepared("\(path) is not answered") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func read(_ response: InboundResponse) async throws -> Reply {
        switch response.status {
        case .unauthorized:
            do {
                try await logIn(within: Self.patience)
            } catch let error as CancellationError {
                throw error
            } catch {
                return .hindered("cannot log in again")
            }
            return .hindered("the token has run out")
        case .tooManyRequests, .requestTimeout: return .hindered("\(response.status)")
        case let status where status.kind == .serverError: return .hindered("\(status)")
        default: return .answered(response.status, response.body)
        }
    }

    private static func sentence(for error: TransportError) -> String {
        switch error {
        case .notConnected: "no connection"
        case .timedOut: "no answer within \(patience.inSeconds)"
        case .interrupted: "connection lost before the answer"
        case .replyTooLarge, .invalidRequest, .cancelled: "\(error)"
        }
    }
}
