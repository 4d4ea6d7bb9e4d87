import Foundation
import HTTPProxy

/// The files that a configuration consists of, as they were when somebody last looked: the YAML file, certificates and keys.
///
/// They are compared by what the file system says of them, not by their contents; that also sees a link that points elsewhere now, which is how a
/// ConfigMap or a renewed certificate usually changes.
struct ConfigurationFiles: Equatable {
    private struct State: Equatable {
        let modified: Date?
        let size: UInt64?
        let number: UInt64?
    }

    private let paths: Set<String>
    private let states: [String: State]

    /// - Parameter configuration: what the file says; its certificates and keys belong to it. Nil when it cannot be read.
    init(_ file: String, of configuration: GatewayConfiguration?) {
        let clusters = configuration?.clusters ?? []
        self.init(Set([file] + (configuration?.tls?.files ?? []) + clusters.flatMap { $0.tls?.files ?? [] }))
    }

    private init(_ paths: Set<String>) {
        self.paths = paths
        states = Dictionary(uniqueKeysWithValues: paths.map { ($0, Self.state(of: $0)) })
    }

    /// The same files, as they are now.
    var now: ConfigurationFiles { ConfigurationFiles(paths) }

    /// A file that is not there has a state, too.
    private static func state(of path: String) -> State {
        let found = try? FileManager.default.attributesOfItem(atPath: URL(filePath: path).resolvingSymlinksInPath().path)
        return State(
            modified: found?[.modificationDate] as? Date, size: (found?[.size] as? NSNumber)?.uint64Value,
            number: (found?[.systemFileNumber] as? NSNumber)?.uint64Value)
    }
}

extension ServerTLS {
    fileprivate var files: [String] { [certificateFile, privateKeyFile] + [clientAuthoritiesFile].compactMap(\.self) }
}

extension UpstreamTLS {
    fileprivate var files: [String] { [authoritiesFile, certificateFile, privateKeyFile].compactMap(\.self) }
}
