import Contracts
import Testing

@testable import SoukCommand

@Suite("A schedule of chaos")
struct ScheduleTests {
    private static let seeds: ClosedRange<UInt64> = 1...50

    @Test("is the same for the same seed, and another for another")
    func determinism() {
        for seed in Self.seeds {
            #expect(Schedule(seed: seed, length: .seconds(60)) == Schedule(seed: seed, length: .seconds(60)))
            #expect(Schedule(seed: seed, length: .seconds(60)) != Schedule(seed: seed + 1, length: .seconds(60)))
        }
    }

    @Test("has taken everything back when the time is over, in order of time", arguments: seeds)
    func ends(seed: UInt64) {
        let length = Duration.seconds(30)
        let entries = Schedule(seed: seed, length: length).entries
        #expect(!entries.isEmpty && entries.allSatisfy { $0.time < length && $0.end <= length })
        #expect(entries.map(\.time) == entries.map(\.time).sorted())
    }

    @Test("uses every kind of disturbance before it repeats one", arguments: seeds)
    func everyKind(seed: UInt64) {
        let kinds = Schedule(seed: seed, length: .seconds(60)).entries.map(\.disturbance.kind)
        #expect(Set(kinds.prefix(Disturbance.Kind.allCases.count)) == Set(Disturbance.Kind.allCases))
    }

    @Test("reaches every service and every link, in time")
    func everywhere() {
        var services: Set<String> = []
        var links: Set<Link> = []
        for seed in Self.seeds {
            for entry in Schedule(seed: seed, length: .seconds(60)).entries {
                switch entry.disturbance {
                case .kill(let service), .restart(let service), .freeze(let service, _): services.insert(service.rawValue)
                case .cut(let link, _), .stall(let link, _), .slow(let link, _, _): links.insert(link)
                }
            }
        }
        #expect(services.count == 6)
        #expect(links == Set(Link.all) && Set(Link.all).count == Link.all.count)
    }
}
