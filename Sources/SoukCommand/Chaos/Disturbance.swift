import Contracts

/// One way in which `souk chaos` troubles a running shop.
enum Disturbance: Sendable, Hashable {
    /// SIGKILL: the process is gone at once.
    case kill(ServiceName)
    /// SIGTERM: the process finishes what it does, and is started again.
    case restart(ServiceName)
    /// SIGSTOP, later SIGCONT: the process holds all its connections and says nothing.
    case freeze(ServiceName, Duration)
    /// Connections are closed, and no new one comes about.
    case cut(Link, Duration)
    /// Connections stay, but nothing passes until later.
    case stall(Link, Duration)
    /// Everything passes later, by `latency` in each direction.
    case slow(Link, Duration, latency: Duration)

    enum Kind: String, Sendable, CaseIterable, Codable {
        case kill, restart, freeze, cut, stall, slow

        var sentence: String {
            switch self {
            case .kill: "service killed (SIGKILL)"
            case .restart: "service restarted (SIGTERM)"
            case .freeze: "service frozen (SIGSTOP)"
            case .cut: "connections cut"
            case .stall: "connections stalled"
            case .slow: "connections slowed"
            }
        }
    }

    var kind: Kind {
        switch self {
        case .kill: .kill
        case .restart: .restart
        case .freeze: .freeze
        case .cut: .cut
        case .stall: .stall
        case .slow: .slow
        }
    }

    /// From its beginning until it is taken back; nothing where the supervisor sees to that.
    var duration: Duration {
        switch self {
        case .kill, .restart: .zero
        case .freeze(_, let duration), .cut(_, let duration), .stall(_, let duration), .slow(_, let duration, _): duration
        }
    }
}

extension Disturbance: CustomStringConvertible {
    var description: String {
        switch self {
        case .kill(let service): "kill     \(service.rawValue)"
        case .restart(let service): "restart  \(service.rawValue)"
        case .freeze(let service, let duration): "freeze   \(service.rawValue) for \(duration.inSeconds)"
        case .cut(let link, let duration): "cut      \(link) for \(duration.inSeconds)"
        case .stall(let link, let duration): "stall    \(link) for \(duration.inSeconds)"
        case .slow(let link, let duration, let latency): "slow     \(link) by \(latency.inSeconds) for \(duration.inSeconds)"
        }
    }
}

/// What one service calls another over.
struct Link: Sendable, Hashable, CustomStringConvertible {
    let from: ServiceName
    let to: ServiceName

    var description: String { "\(from.rawValue) → \(to.rawValue)" }

    /// Those that are in use: requests from the gateway, reservations, events, and the keys that tell who a user is.
    static let all: [Link] =
        [.users, .products, .orders, .payments, .notifications].map { Link(from: .gateway, to: $0) }
        + [.products, .orders, .payments, .notifications].map { Link(from: $0, to: .users) }
        + [
            Link(from: .orders, to: .products), Link(from: .orders, to: .payments), Link(from: .products, to: .orders),
            Link(from: .payments, to: .orders), Link(from: .notifications, to: .orders), Link(from: .notifications, to: .payments),
        ]
}

extension Duration {
    /// `3.25 s`.
    var inSeconds: String {
        let hundredths = Int((self / .milliseconds(10)).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) s"
    }
}
