import NIOSSL

/// How the proxy shows itself to its clients. The files are read when the configuration comes into force, so that reloading it takes up a renewed
/// certificate; connections that are open keep the one they began with.
public struct ServerTLS: Hashable, Sendable {
    /// A PEM file: the server's certificate, then those that lead to a root.
    public var certificateFile: String
    /// A PEM file.
    public var privateKeyFile: String
    /// A PEM file of authorities: then clients must show a certificate that one of them has signed. Nil: clients show none.
    public var clientAuthoritiesFile: String?

    public init(certificateFile: String, privateKeyFile: String, clientAuthoritiesFile: String? = nil) {
        self.certificateFile = certificateFile
        self.privateKeyFile = privateKeyFile
        self.clientAuthoritiesFile = clientAuthoritiesFile
    }

    /// - Parameter protocols: what is offered by ALPN (RFC 7301).
    func makeContext(protocols: [String]) throws(ProxyConfigurationError) -> NIOSSLContext {
        let chain = try PEM.certificates(certificateFile).map(NIOSSLCertificateSource.certificate)
        let key = NIOSSLPrivateKeySource.privateKey(try PEM.privateKey(privateKeyFile))
        var configuration: TLSConfiguration
        if let clientAuthoritiesFile {
            configuration = .makeServerConfigurationWithMTLS(
                certificateChain: chain, privateKey: key, trustRoots: .certificates(try PEM.certificates(clientAuthoritiesFile)))
        } else {
            configuration = .makeServerConfiguration(certificateChain: chain, privateKey: key)
        }
        // RFC 8996: older ones are not to be used.
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = protocols
        return try PEM.context(configuration, of: certificateFile)
    }
}

/// How the proxy speaks with a cluster over TLS.
public struct UpstreamTLS: Hashable, Sendable {
    /// A PEM file of the authorities that may have signed the endpoints' certificates; nil: those that the system trusts.
    public var authoritiesFile: String?
    /// The name that the certificate must be for; nil: the endpoint's host.
    public var serverName: String?
    /// PEM files: what the proxy shows of itself, when the endpoints ask for it (mutual TLS).
    public var certificateFile: String?
    public var privateKeyFile: String?

    public init() {}

    func makeContext() throws(ProxyConfigurationError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if let authoritiesFile { configuration.trustRoots = .certificates(try PEM.certificates(authoritiesFile)) }
        if let certificateFile {
            configuration.certificateChain = try PEM.certificates(certificateFile).map(NIOSSLCertificateSource.certificate)
        }
        if let privateKeyFile { configuration.privateKey = .privateKey(try PEM.privateKey(privateKeyFile)) }
        return try PEM.context(configuration, of: certificateFile ?? authoritiesFile ?? "the system's authorities")
    }
}

/// Reads PEM files, and says which one is wrong.
private enum PEM {
    static func certificates(_ file: String) throws(ProxyConfigurationError) -> [NIOSSLCertificate] {
        let found: [NIOSSLCertificate]
        do {
            found = try NIOSSLCertificate.fromPEMFile(file)
        } catch {
            throw ProxyConfigurationError("\(file) cannot be read as certificates in PEM form")
        }
        guard !found.isEmpty else { throw ProxyConfigurationError("\(file) has no certificate") }
        return found
    }

    static func privateKey(_ file: String) throws(ProxyConfigurationError) -> NIOSSLPrivateKey {
        do {
            return try NIOSSLPrivateKey(file: file, format: .pem)
        } catch {
            throw ProxyConfigurationError("\(file) cannot be read as a private key in PEM form")
        }
    }

    static func context(_ configuration: TLSConfiguration, of file: String) throws(ProxyConfigurationError) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw ProxyConfigurationError("the certificate of \(file) does not go with its private key")
        }
    }
}
