import Foundation

/// Where the build put the executables: beside the test bundle.
enum Executables {
    static let directory: URL = {
        let bundles = Bundle.allBundles.filter { $0.bundlePath.hasSuffix(".xctest") }.map(\.bundleURL)
        let candidates = (bundles + [Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])]).map {
            $0.deletingLastPathComponent()
        }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0.appending(path: "souk").path) } ?? candidates[0]
    }()
}
