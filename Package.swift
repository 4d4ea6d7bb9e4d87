// swift-tools-version: 6.2
import PackageDescription

// The arrows of the house, in one place: executable → service → Chassis* → Contracts → Commerce.
// A service never lists another service, and the chassis never lists a service.

let chassis: [Target.Dependency] = ["Commerce", "Contracts", "Chassis", "ChassisStorage", "ChassisEvents"]
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let jwtKit = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioFoundation = Target.Dependency.product(name: "NIOFoundationCompat", package: "swift-nio")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")

/// What every service module builds on.
let serviceDependencies: [Target.Dependency] = chassis + [hummingbird, httpTypes, logging]

let package = Package(
    name: "souk",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "souk", targets: ["souk"]),
        .executable(name: "api-gateway", targets: ["api-gateway"]),
        .executable(name: "user-service", targets: ["user-service"]),
        .executable(name: "product-service", targets: ["product-service"]),
        .executable(name: "order-service", targets: ["order-service"]),
        .executable(name: "payment-service", targets: ["payment-service"]),
        .executable(name: "notification-service", targets: ["notification-service"]),
        .library(name: "HTTPProxy", targets: ["HTTPProxy"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: [.trait(name: "CommandLineArguments")]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: [.trait(name: "FullFoundation")]),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // MARK: Values and contracts
        .target(name: "Commerce"),
        .target(name: "Contracts", dependencies: ["Commerce"]),

        // MARK: What every caller of others does about their failures
        .target(name: "Resilience"),

        // MARK: The chassis
        .target(
            name: "Chassis",
            dependencies: [
                "Commerce", "Contracts", "Resilience", hummingbird, asyncHTTPClient, httpTypes, logging, metrics, tracing,
                serviceLifecycle, unixSignals, configuration, crypto, nioCore, nioPosix, nioHTTP1, nioFoundation,
            ]
        ),
        .target(
            name: "ChassisStorage",
            dependencies: ["Commerce", "Chassis", grdb, grdbSQLite, hummingbird, httpTypes, crypto, logging, metrics, tracing]
        ),
        .target(
            name: "ChassisEvents",
            dependencies: [
                "Commerce", "Contracts", "Chassis", "ChassisStorage", hummingbird, httpTypes, logging, metrics, tracing, serviceLifecycle,
            ]
        ),
        .target(
            name: "ChassisTesting",
            dependencies: chassis + [
                httpTypes, logging, asyncHTTPClient, crypto, serviceLifecycle, nioCore, nioPosix, nioHTTP1, nioFoundation,
            ]
        ),

        // MARK: What must be true of a shop's books
        .target(name: "Invariants", dependencies: ["Commerce", "Contracts", "ChassisStorage"]),

        // MARK: The gateway's data plane
        .target(
            name: "HTTPProxy",
            dependencies: ["Resilience", "CZlib", nioCore, nioPosix, nioHTTP1, nioHTTP2, nioHPACK, nioSSL, nioTLS, crypto, logging]),

        // MARK: What executables carry
        .target(name: "CDocumentation", exclude: ["page"]),

        // MARK: System libraries
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),

        // MARK: Services
        .target(
            name: "APIGateway",
            dependencies: [
                "Commerce", "Contracts", "Chassis", "HTTPProxy", "CDocumentation", hummingbird, httpTypes, logging, metrics, crypto,
                nioCore, nioPosix, nioHTTP1, yams, serviceLifecycle, unixSignals,
            ]
        ),
        .target(name: "UserService", dependencies: serviceDependencies + [crypto, cryptoExtras]),
        .target(name: "ProductService", dependencies: serviceDependencies),
        .target(name: "OrderService", dependencies: serviceDependencies + [crypto, tracing, serviceLifecycle]),
        .target(name: "PaymentService", dependencies: serviceDependencies),
        .target(name: "NotificationService", dependencies: serviceDependencies + ["CCurl", mustache, nioPosix]),
        .target(
            name: "Simulation",
            dependencies: chassis + [
                "Invariants", "ProductService", "OrderService", "PaymentService", "NotificationService", httpTypes, logging, nioPosix,
                crypto,
                serviceLifecycle,
            ]
        ),
        .target(
            name: "SoukCommand",
            dependencies: [
                "Simulation",
                "APIGateway", "UserService", "ProductService", "OrderService", "PaymentService", "NotificationService", "Commerce",
                "Contracts",
                "Chassis", "ChassisStorage", "Invariants", argumentParser, subprocess, logging, httpTypes, nioCore, nioPosix, unixSignals,
            ]
        ),

        // MARK: Executables
        .executableTarget(
            name: "api-gateway", dependencies: ["APIGateway", "Chassis", "Contracts"], path: "Sources/Executables/api-gateway"),
        .executableTarget(
            name: "user-service", dependencies: ["UserService", "Chassis", "Contracts"], path: "Sources/Executables/user-service"),
        .executableTarget(
            name: "product-service", dependencies: ["ProductService", "Chassis", "Contracts"], path: "Sources/Executables/product-service"),
        .executableTarget(
            name: "order-service", dependencies: ["OrderService", "Chassis", "Contracts"], path: "Sources/Executables/order-service"),
        .executableTarget(
            name: "payment-service", dependencies: ["PaymentService", "Chassis", "Contracts"], path: "Sources/Executables/payment-service"),
        .executableTarget(
            name: "notification-service", dependencies: ["NotificationService", "Chassis", "Contracts"],
            path: "Sources/Executables/notification-service"),
        .executableTarget(name: "souk", dependencies: ["SoukCommand"], path: "Sources/Executables/souk"),

        .executableTarget(
            name: "storage-benchmark", dependencies: ["ChassisStorage", argumentParser, logging], path: "bench/StorageBenchmark"),

        // MARK: Benchmarks
        .executableTarget(name: "proxy-benchmark", dependencies: ["HTTPProxy", nioCore, nioPosix, logging], path: "bench/ProxyBenchmark"),

        // MARK: Tests
        .testTarget(name: "CommerceTests", dependencies: ["Commerce"]),
        .testTarget(name: "ResilienceTests", dependencies: ["Resilience"]),
        .testTarget(
            name: "OrderServiceTests",
            dependencies: ["OrderService", "ChassisTesting", hummingbird, httpTypes, logging, asyncHTTPClient, nioCore, nioHTTP1] + chassis),
        .testTarget(
            name: "HTTPProxyTests",
            dependencies: ["HTTPProxy", "CZlib", nioCore, nioPosix, nioHTTP1, nioHTTP2, nioHPACK, nioSSL, nioEmbedded, logging]),
        .testTarget(
            name: "ChassisTests",
            dependencies: [
                "Commerce", "Contracts", "Chassis", "ChassisTesting", hummingbird, asyncHTTPClient, httpTypes, logging, metrics, tracing,
                serviceLifecycle,
                configuration,
                crypto, jwtKit, nioCore, nioPosix, nioHTTP1,
            ]
        ),
        .testTarget(
            name: "ChassisEventsTests",
            dependencies: chassis + [
                "ChassisTesting", hummingbird, httpTypes, logging, tracing, serviceLifecycle, nioCore, nioPosix, nioEmbedded,
            ]
        ),
        .testTarget(name: "ChassisStorageTests", dependencies: ["ChassisStorage", "ChassisTesting", "Commerce", grdbSQLite, logging]),
        .testTarget(
            name: "ProductServiceTests",
            dependencies: ["ProductService", "ChassisTesting"] + chassis + [hummingbird, httpTypes, logging, serviceLifecycle]),
        .testTarget(
            name: "InvariantsTests",
            dependencies: [
                "Invariants", "UserService", "ProductService", "OrderService", "PaymentService", "NotificationService", "ChassisTesting",
            ] + chassis + [httpTypes, logging]),
        .testTarget(name: "SimulationTests", dependencies: ["Simulation", "Invariants", httpTypes] + chassis),
        .testTarget(name: "TidyTests"),
        .testTarget(
            name: "PaymentServiceTests",
            dependencies: ["PaymentService", "ChassisTesting"] + chassis + [httpTypes, logging, serviceLifecycle]),
        .testTarget(
            name: "NotificationServiceTests",
            dependencies: ["NotificationService", "ChassisTesting"] + chassis + [httpTypes, logging, serviceLifecycle],
            exclude: ["Support/smtp_server.py"]),
        .testTarget(
            name: "APIGatewayTests",
            dependencies: [
                "APIGateway", "ChassisTesting", "HTTPProxy", "Commerce", "Contracts", "Chassis", httpTypes, logging, nioCore, nioHTTP1,
            ]),
        .testTarget(name: "UserServiceTests", dependencies: ["UserService", "ChassisTesting"] + chassis + [httpTypes, logging, crypto]),
        .testTarget(
            name: "SoukCommandTests",
            dependencies: ["SoukCommand", "Contracts", "ChassisTesting", "Chassis", "Invariants", nioCore, nioPosix]),
        // What tests know of all services together.
        .target(
            name: "ShopTesting",
            dependencies: [
                "APIGateway", "UserService", "ProductService", "OrderService", "PaymentService", "NotificationService", "ChassisTesting",
            ] + chassis + [logging, nioPosix],
            path: "Tests/ShopTesting"),
        .testTarget(name: "OpenAPITests", dependencies: ["ShopTesting", "ChassisTesting"] + chassis),
        .testTarget(
            name: "SystemTests",
            dependencies: [
                "ShopTesting", "ChassisTesting", "Chassis", "ChassisStorage", "Commerce", "Contracts", httpTypes, logging, crypto,
                hummingbird,
                nioFoundation, "souk",
                "api-gateway", "user-service",
                "product-service",
                "order-service",
                "payment-service", "notification-service",
            ]),
    ]
)

for target in package.targets where target.type != .system {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .swiftLanguageMode(.v6),
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .treatAllWarnings(as: .error),
        ]
}
