import Chassis
import Commerce
import Foundation
import HTTPProxy
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Lets a request pass whose token is good. A token that was verified before is known at once, on the loop; another is verified beside it,
/// which may take fetching the user service's keys, and the request waits.
struct TokenPolicy: RequestPolicy {
    let authentication: GatewayConfiguration.Authentication
    /// Who may pass; nil: everybody.
    let roles: Set<Role>?
    /// Whether the service is told who asks, in fields that nobody outside can send.
    let namesUser: Bool
    let authenticator: Authenticator

    func decide(_ request: inout HTTPProxy.RequestContext, on eventLoop: any EventLoop) -> PolicyDecision {
        let authorization = request.head.first("authorization")
        if let caller = authenticator.cached(authorization: authorization) {
            return decision(for: caller, path: request.path)
        }
        let path = request.path
        return .wait(
            eventLoop.makeFutureWithTask {
                do {
                    return decision(for: try await authenticator.caller(authorization: authorization), path: path)
                } catch let problem as Problem {
                    return .answer(Self.response(to: problem, path: path))
                }
            })
    }

    private func decision(for caller: Caller, path: String) -> PolicyDecision {
        switch caller {
        case .user(let user) where roles.map({ !$0.contains(user.role) }) ?? false: .answer(Self.response(to: .forbidden, path: path))
        case .user(let user): .nextAs(user: user.id.description, changing: namesUser ? Self.naming(user) : HeaderChanges())
        case .anonymous: authentication == .required ? .answer(Self.response(to: .unauthorized(), path: path)) : .next
        case .service: .answer(Self.response(to: .forbidden, path: path))
        }
    }

    private static func naming(_ user: UserIdentity) -> HeaderChanges {
        var changes = HeaderChanges()
        changes.setUpstream(checked: "x-souk-user", user.id.description)
        changes.setUpstream(checked: "x-souk-role", user.role.rawValue)
        return changes
    }

    private static func response(to problem: Problem, path: String) -> LocalResponse {
        var headers = HTTPHeaders()
        for field in problem.headers { headers.add(name: field.name.rawName, value: field.value) }
        return HTTPProxy.ProblemDocument(
            status: HTTPResponseStatus(statusCode: problem.status.code), name: problem.kind, sentence: problem.error, headers: headers
        ).response(typePrefix: "urn:souk:problem:", instance: path)
    }
}
