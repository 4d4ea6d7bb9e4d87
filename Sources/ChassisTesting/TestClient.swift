import AsyncHTTPClient
public import Chassis
public import Foundation
public import HTTPTypes
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Speaks HTTP to a service under test, as anybody.
public struct TestClient: Sendable {
    public let baseURL: String
    let identities: TestIdentities

    /// What a test sends at once arrives at once: the shared client has but eight connections for each host.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    public struct Reply: Sendable {
        public let status: HTTPResponse.Status
        public let headers: HTTPFields
        public let body: Data

        /// The body as JSON; `.null` when it is none.
        public var json: JSONValue { (try? JSONValue.parse(body)) ?? .null }
        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    public func get(_ path: String, as caller: TestCaller = .anonymous, headers: HTTPFields = [:]) async throws -> Reply {
        try await send(.get, path, as: caller, headers: headers)
    }

    public func post(_ path: String, _ body: JSONValue? = nil, as caller: TestCaller = .anonymous, headers: HTTPFields = [:]) async throws
        -> Reply
    {
        try await send(.post, path, body, as: caller, headers: headers)
    }

    public func put(_ path: String, _ body: JSONValue? = nil, as caller: TestCaller = .anonymous, headers: HTTPFields = [:]) async throws
        -> Reply
    {
        try await send(.put, path, body, as: caller, headers: headers)
    }

    public func patch(_ path: String, _ body: JSONValue? = nil, as caller: TestCaller = .anonymous, headers: HTTPFields = [:]) async throws
        -> Reply
    {
        try await send(.patch, path, body, as: caller, headers: headers)
    }

    public func delete(_ path: String, _ body: JSONValue? = nil, as caller: TestCaller = .anonymous, headers: HTTPFields = [:]) async throws
        -> Reply
    {
        try await send(.delete, path, body, as: caller, headers: headers)
    }

    public func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil, as caller: TestCaller = .anonymous,
        headers: HTTPFields = [:]
    ) async throws -> Reply {
        try await send(method, path, bytes: try body.map { try JSON.encodedData($0) }, as: caller, headers: headers)
    }

    /// Sends bytes that need not be JSON. Says that they are, unless `headers` says otherwise.
    public func send(
        _ method: HTTPRequest.Method, _ path: String, bytes: Data?, as caller: TestCaller = .anonymous, headers: HTTPFields = [:]
    ) async throws -> Reply {
        var fields = headers
        if let authorization = try identities.authorization(of: caller) { fields[.authorization] = authorization }
        if bytes != nil, fields[.contentType] == nil { fields[.contentType] = "application/json" }
        if let bytes, bytes.count > LargeUpload.leastBytes {
            return try await LargeUpload(url: baseURL + path, method: method, headers: fields, body: bytes).send()
        }
        return try await Self.exchange(method, baseURL + path, fields, bytes)
    }

    private static func exchange(_ method: HTTPRequest.Method, _ url: String, _ headers: HTTPFields, _ body: Data?) async throws -> Reply {
        var request = HTTPClientRequest(url: url)
        request.method = .RAW(value: method.rawValue)
        for field in headers { request.headers.add(name: field.name.rawName, value: field.value) }
        if let body { request.body = .bytes(ByteBuffer(data: body)) }
        let response = try await http.execute(request, timeout: .seconds(30))
        var fields = HTTPFields()
        for (name, value) in response.headers {
            if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        }
        let collected = try await response.body.collect(upTo: 64 * 1024 * 1024)
        return Reply(status: .init(code: Int(response.status.code)), headers: fields, body: Data(buffer: collected))
    }
}

/// JSON in tests, written as it reads.
extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByFloatLiteral
{
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(Dictionary(elements) { _, last in last }) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(floatLiteral value: Double) { self = .decimal(Decimal(string: "\(value)") ?? .nan) }

    /// A member of an object; `.null` where there is none.
    public subscript(_ name: String) -> JSONValue {
        guard case .object(let members) = self else { return .null }
        return members[name] ?? .null
    }

    /// An element of an array; `.null` where there is none.
    public subscript(_ index: Int) -> JSONValue {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return .null }
        return elements[index]
    }

    /// The elements of an array; none of anything else.
    public var array: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }

    /// The names of an object's members; none of anything else.
    public var members: Set<String> { if case .object(let members) = self { Set(members.keys) } else { [] } }

    public var count: Int {
        switch self {
        case .array(let elements): elements.count
        case .object(let members): members.count
        default: 0
        }
    }

    public var integer: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }

    public var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }
}
