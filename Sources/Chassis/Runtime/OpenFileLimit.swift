import Logging

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// How many files and sockets this process may have open.
///
/// The usual limit of a shell, 1024, was made for programs that use `select`. A gateway in front of a thousand patient customers is beyond it,
/// and a process that is at it can neither accept a connection nor open its database.
enum OpenFileLimit {
    /// Raises the limit to what the system lets this process have.
    static func raise(logger: Logger) {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return complain(logger) }
        let wanted = min(limit.rlim_max, rlim_t(ceiling))
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = wanted
        if setrlimit(resource, &limit) != 0 { complain(logger) }
    }

    private static func complain(_ logger: Logger) {
        logger.warning("the limit of open files stays as it is", metadata: ["error": "\(String(cString: strerror(errno)))"])
    }

    #if canImport(Darwin)
        private static let resource = RLIMIT_NOFILE
        /// `setrlimit(2)` refuses more than this there.
        private static let ceiling = OPEN_MAX
    #elseif canImport(Musl)
        private static let resource = RLIMIT_NOFILE
        private static let ceiling = 1_048_576
    #else
        private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        /// The kernel's own default ceiling (`fs.nr_open`).
        private static let ceiling = 1_048_576
    #endif
}
