import Foundation
import HTTPTypes

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A request whose body is refused before all of it is sent.
///
/// AsyncHTTPClient 1.37 ends the process when a server answers and closes while the client still writes: the connection leaves its pool and
/// is released after. libcurl, which is under URLSession, stops writing and reads the answer.
struct LargeUpload {
    /// Bodies above this go this way. Less fits into a socket's buffer and is written at once.
    static let leastBytes = 64 * 1024

    let url: String
    let method: HTTPRequest.Method
    let headers: HTTPFields
    let body: Data

    func send() async throws -> TestClient.Reply {
        guard let address = URL(string: url) else { throw URLError(.badURL) }
        var request = URLRequest(url: address, timeoutInterval: 30)
        request.httpMethod = method.rawValue
        for field in headers { request.setValue(field.value, forHTTPHeaderField: field.name.rawName) }
        request.httpBody = body
        let session = URLSession(configuration: .ephemeral)
        defer { session.finishTasksAndInvalidate() }
        let (data, response) = try await session.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        var fields = HTTPFields()
        for (name, value) in response.allHeaderFields {
            if let name = HTTPField.Name("\(name)") { fields[name] = "\(value)" }
        }
        return TestClient.Reply(status: .init(code: response.statusCode), headers: fields, body: data)
    }
}
