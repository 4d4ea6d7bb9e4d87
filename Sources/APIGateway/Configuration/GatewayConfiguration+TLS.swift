import HTTPProxy
import Yams

/// Certificates and keys, all in files. They are read with the configuration, so that a reload takes up what was renewed.
extension GatewayConfiguration {
    static let serverTLSKeys: Set<String> = ["certificate", "privateKey", "clientAuthorities"]
    static let upstreamTLSKeys: Set<String> = ["authorities", "serverName", "certificate", "privateKey"]

    static func serverTLS(_ document: YAMLReader) throws -> ServerTLS? {
        guard let reader = try document.mapping("tls", keys: serverTLSKeys) else { return nil }
        return ServerTLS(
            certificateFile: try reader.requiredString("certificate"), privateKeyFile: try reader.requiredString("privateKey"),
            clientAuthoritiesFile: try reader.string("clientAuthorities"))
    }

    /// - Parameter isSecure: the endpoints are `https`.
    static func upstreamTLS(_ cluster: YAMLReader, isSecure: Bool) throws -> UpstreamTLS? {
        guard let reader = try cluster.mapping("tls", keys: upstreamTLSKeys) else { return isSecure ? UpstreamTLS() : nil }
        guard isSecure else { throw YAMLReader.error("“tls” needs endpoints with https", at: cluster.node("tls")) }
        var tls = UpstreamTLS()
        tls.authoritiesFile = try reader.string("authorities")
        tls.serverName = try reader.string("serverName")
        tls.certificateFile = try reader.string("certificate")
        tls.privateKeyFile = try reader.string("privateKey")
        guard (tls.certificateFile == nil) == (tls.privateKeyFile == nil) else {
            throw YAMLReader.error("“certificate” and “privateKey” go together", at: cluster.node("tls"))
        }
        return tls
    }
}
