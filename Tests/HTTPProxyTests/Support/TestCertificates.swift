import Foundation
import NIOSSL

@testable import HTTPProxy

/// An authority and certificates of its own, made by the `openssl` command in a temporary directory: `authority`, `server` (for 127.0.0.1 and
/// localhost) and `client`, each with a `.pem` and a `.key`.
final class TestCertificates: Sendable {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "certificates-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=authority",
            "-keyout", file("authority.key"), "-out", file("authority.pem"))
        try issue("server", for: "IP:127.0.0.1,DNS:localhost")
        try issue("client", for: "DNS:client.test")
    }

    func file(_ name: String) -> String { directory.appending(path: name).path }

    /// Makes a new certificate of this name, in place of any before.
    func issue(_ name: String, for names: String) throws {
        try openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(name)",
            "-keyout", file("\(name).key"), "-out", file("\(name).csr"))
        try Data("subjectAltName=\(names)\n".utf8).write(to: URL(filePath: file("\(name).ext")))
        try openssl(
            "x509", "-req", "-in", file("\(name).csr"), "-CA", file("authority.pem"), "-CAkey", file("authority.key"), "-CAcreateserial",
            "-days", "1", "-extfile", file("\(name).ext"), "-out", file("\(name).pem"))
    }

    /// A client that trusts the authority.
    /// - Parameters:
    ///   - name: the certificate that it shows.
    ///   - expects: the name that the server's must be for; nil: its address.
    ///   - protocols: what it offers by ALPN.
    func client(shows name: String? = nil, expects: String? = nil, speaks protocols: [String] = []) throws -> NIOSSLClientHandler {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(file("authority.pem"))
        configuration.applicationProtocols = protocols
        if let name {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(file("\(name).pem")).map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: file("\(name).key"), format: .pem))
        }
        return try NIOSSLClientHandler(context: NIOSSLContext(configuration: configuration), serverHostname: expects)
    }

    func serverContext(asksClients: Bool = false) throws -> NIOSSLContext {
        try ServerTLS(
            certificateFile: file("server.pem"), privateKeyFile: file("server.key"),
            clientAuthoritiesFile: asksClients ? file("authority.pem") : nil
        ).makeContext(protocols: ["http/1.1"])
    }

    func remove() throws { try FileManager.default.removeItem(at: directory) }

    private func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
    }
}
