public import Contracts
import Foundation
public import HTTPTypes

/// Why a call to another service has no result.
public enum ServiceClientError: Error, Sendable, Hashable {
    /// The service does not answer. Nothing was done, or it may be done again: trying later is safe.
    case unavailable(ServiceName)
    /// No answer to a call that must not be repeated: it may have been carried out, or not.
    case timedOut(ServiceName)
    /// The service answered that it will not.
    case problem(ServiceProblem)
    /// The answer is not what was agreed.
    case malformedReply(ServiceName)
    /// The call could not be written down; nothing was sent.
    case malformedRequest(ServiceName)
    /// The task was cancelled; the outcome is unknown.
    case cancelled

    /// Whether the same call may succeed later. A status of 429 or 5xx is the service's passing trouble, any other its answer.
    public var isTransient: Bool {
        switch self {
        case .unavailable, .timedOut: true
        case .problem(let problem): problem.status.kind == .serverError || problem.status == .tooManyRequests
        case .malformedReply, .malformedRequest, .cancelled: false
        }
    }

    /// The 503 for our own client when this is passing trouble of a service that we need; nil when it is not, and the caller must know better.
    public var unavailability: Problem? {
        isTransient ? .unavailable("A service that this needs is not available at the moment") : nil
    }
}

extension ServiceClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unavailable(let service): "\(service.rawValue) is not available"
        case .timedOut(let service): "\(service.rawValue) did not answer in time; the outcome is unknown"
        case .problem(let problem): "\(problem.service.rawValue) answered \(problem.status.code) \(problem.kind): \(problem.error)"
        case .malformedReply(let service): "\(service.rawValue) sent a reply that cannot be read"
        case .malformedRequest(let service): "the request to \(service.rawValue) cannot be written"
        case .cancelled: "the call was cancelled"
        }
    }
}

/// The RFC 9457 document with which another service refused.
public struct ServiceProblem: Sendable, Hashable {
    public let service: ServiceName
    public let status: HTTPResponse.Status
    /// The last part of `type`, for example `insufficient-stock`; empty if the answer was no problem document.
    public let kind: String
    /// The sentence for a person.
    public let error: String
    public let detail: String?

    public init(service: ServiceName, status: HTTPResponse.Status, kind: String, error: String, detail: String? = nil) {
        self.service = service
        self.status = status
        self.kind = kind
        self.error = error
        self.detail = detail
    }

    private struct Document: Decodable {
        let type: String?
        let title: String?
        let error: String?
        let detail: String?
    }

    /// Reads what came with a status of 400 or more; a proxy's page or an empty body is a problem without a kind.
    init(_ response: InboundResponse, from service: ServiceName) {
        let document = try? JSON.decode(Document.self, from: response.body)
        let prefix = "urn:souk:problem:"
        let kind = document?.type.flatMap { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
        self.init(
            service: service, status: response.status, kind: kind ?? "",
            error: document?.error ?? document?.title ?? "\(service.rawValue) answered \(response.status.code)", detail: document?.detail)
    }
}
