// Arrows run one way: executable → service module → Chassis* → Contracts → Commerce. With the MemberImportVisibility feature a file names
// every module that it uses, so that its imports tell the truth.

private let services: Set<String> = [
    "APIGateway", "UserService", "ProductService", "OrderService", "PaymentService", "NotificationService", "Storefront",
]

extension Rule {
    static let importRules: [Rule] = [
        Rule(
            "only ChassisStorage imports GRDB",
            because: "a service that knows its driver cannot change it: Postgres is to be a second driver and no service to change.",
            broken: ("Sources/OrderService/Storage/A.swift", "import GRDB"), kept: ("Sources/ChassisStorage/SQLite/A.swift", "import GRDB")
        ) { file in
            ["ChassisStorage", "ChassisStorageTests"].contains(file.target) ? [] : file.lines { $0 == "GRDB" || $0 == "GRDBSQLite" }
        },
        Rule(
            "a domain file imports no HTTP, SQL or NIO",
            because: "what a shop does can be read, tested and simulated without the world around it.",
            broken: ("Sources/OrderService/Domain/A.swift", "public import Hummingbird"),
            kept: ("Sources/OrderService/HTTP/A.swift", "public import Hummingbird")
        ) { file in
            guard file.isInSources, file.isIn(folder: "Domain") else { return [] }
            let world: Set<String> = [
                "Hummingbird", "HTTPTypes", "AsyncHTTPClient", "ChassisStorage", "ChassisEvents", "GRDB", "HTTPProxy",
            ]
            return file.lines { world.contains($0) || $0.hasPrefix("NIO") }
        },
        Rule(
            "Commerce imports Foundation at most",
            because: "values that everybody shares must drag nothing along.",
            broken: ("Sources/Commerce/A.swift", "import Logging"), kept: ("Sources/Commerce/A.swift", "public import Foundation")
        ) { file in
            file.target == "Commerce" ? file.lines { $0 != "Foundation" } : []
        },
        Rule(
            "Contracts imports Commerce and Foundation at most",
            because: "what services say to each other is values, not machinery.",
            broken: ("Sources/Contracts/A.swift", "import Chassis"), kept: ("Sources/Contracts/A.swift", "public import Commerce")
        ) { file in
            file.target == "Contracts" ? file.lines { !["Commerce", "Foundation"].contains($0) } : []
        },
        Rule(
            "Resilience imports nothing",
            because: "it is values that decide; clocks, locks and sockets are their owners'.",
            broken: ("Sources/Resilience/A.swift", "import NIOCore"), kept: ("Sources/Resilience/A.swift", "")
        ) { file in
            file.target == "Resilience" ? file.lines { _ in true } : []
        },
        Rule(
            "the chassis imports no service",
            because: "the chassis carries every service and knows none.",
            broken: ("Sources/ChassisEvents/A.swift", "import OrderService"), kept: ("Sources/ChassisEvents/A.swift", "import Chassis")
        ) { file in
            file.isInSources && file.target.hasPrefix("Chassis") ? file.lines(services.contains) : []
        },
        Rule(
            "no service imports another",
            because: "services meet over HTTP and events only; each is built, deployed and scaled alone.",
            broken: ("Sources/OrderService/A.swift", "import ProductService"), kept: ("Sources/OrderService/A.swift", "import Contracts")
        ) { file in
            services.contains(file.target) && file.isInSources ? file.lines { services.contains($0) && $0 != file.target } : []
        },
        Rule(
            "HTTPProxy imports NIO, Resilience, Logging, Crypto, zlib and the system only",
            because: "the data plane is of use without the shop, and every import of its hot path is a cost.",
            broken: ("Sources/HTTPProxy/A.swift", "import Chassis"),
            kept: ("Sources/HTTPProxy/A.swift", "import NIOCore\nimport Logging\nimport Glibc")
        ) { file in
            let system: Set<String> = [
                "Resilience", "Logging", "Crypto", "CZlib", "Synchronization", "SwiftOverlayShims", "Glibc", "Musl", "Darwin", "Dispatch",
            ]
            return file.target == "HTTPProxy" && file.isInSources ? file.lines { !system.contains($0) && !$0.hasPrefix("NIO") } : []
        },
        Rule(
            "only tests import ChassisTesting and Testing",
            because: "what makes tests easy must not reach production.",
            broken: ("Sources/OrderService/A.swift", "import ChassisTesting"),
            kept: ("Tests/OrderServiceTests/A.swift", "import ChassisTesting")
        ) { file in
            file.isInSources ? file.lines { ["ChassisTesting", "Testing", "XCTest"].contains($0) } : []
        },
        Rule(
            "an executable imports its service, Chassis and Contracts",
            because: "a main that knows more holds logic that no test reaches.",
            broken: ("Sources/Executables/order-service/main.swift", "import ChassisStorage"),
            kept: ("Sources/Executables/order-service/main.swift", "import Chassis\nimport OrderService")
        ) { file in
            guard file.isInSources, file.isIn(folder: "Executables") else { return [] }
            return file.lines { !services.union(["Chassis", "Contracts", "SoukCommand"]).contains($0) }
        },
    ]
}

extension SourceFile {
    /// The lines that import a module for which `isWrong` holds.
    fileprivate func lines(_ isWrong: (String) -> Bool) -> [Int] {
        imports.filter { isWrong($0.module) }.map(\.line)
    }
}
