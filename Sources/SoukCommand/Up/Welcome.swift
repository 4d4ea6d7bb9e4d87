import Chassis
import Contracts
import Foundation
import HTTPTypes

/// What a person reads once the shop is open.
struct Welcome: Sendable {
    let shop: RunningShop
    let fleet: Fleet
    let transport: HTTPTransport

    func text(after elapsed: Duration) async throws -> String {
        let gateway = shop.address(of: .gateway)
        var lines = ["", "Souk is open after \(elapsed.formatted(.units(allowed: [.seconds], fractionalPart: .show(length: 2)))).", ""]
        lines.append("  the shop's API        \(gateway)")
        lines.append("  its documentation     \(gateway)/docs")
        lines.append("  its health            \(gateway)/health")
        lines.append("  its gateway's inside  http://127.0.0.1:\(shop.portBase + Fleet.adminPortOffset)/admin/status")
        for service in Fleet.services where service != .gateway {
            lines.append("  \(service.rawValue.padding(toLength: 22, withPad: " ", startingAt: 0))\(shop.address(of: service))")
        }
        lines.append("  logs and data         \(fleet.directory.path)")
        lines += try await administrator()
        lines += [
            "", "Try:  curl \(gateway)/api/products", "      souk demo --data-dir \(fleet.directory.path)", "", "Ctrl-C stops it all.", "",
        ]
        return lines.joined(separator: "\n")
    }

    /// The administrator's password, shown at the first start only, once it is known to work.
    private func administrator() async throws -> [String] {
        guard let password = fleet.administratorPassword else { return [] }
        let email = ProcessInfo.processInfo.environment["SOUK_ADMIN_EMAIL"] ?? "admin@souk.local"
        let body = try JSON.encodedData(["email": email, "password": password])
        let request = OutboundRequest(
            method: .post, url: shop.address(of: .gateway) + "/api/users/login", headers: [.contentType: "application/json"], body: body)
        let response = try await transport.send(request, timeout: .seconds(10))
        try fleet.directory.markAdministrator()
        guard response.status == .ok else { return [] }
        return ["", "  administrator         \(email)", "  password              \(password)   (shown only this once)"]
    }
}
