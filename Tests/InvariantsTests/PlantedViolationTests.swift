import Chassis
import Commerce
import Invariants
import Testing

/// Books in order pass, and each mistake is noticed by the one invariant that is about it.
@Suite("Planted violations")
struct PlantedViolationTests {
    @Test("a mistake in the books breaks exactly the invariant that is about it, and is named", arguments: Plant.all)
    func planted(_ plant: Plant) async throws {
        let shop = plant.ground == .settled ? try await SmallShop.settled() : try await SmallShop.busy()
        let id = try await plant.make(shop)
        let invariant = try #require(Invariant.all.first { $0.name == plant.invariant })
        var books = shop.books
        books.now = shop.time.now
        let audit = try await Audit.of(books, invariant.level)
        #expect(audit.unchecked.isEmpty)
        let broken = invariant.weight == .violation ? audit.violated : audit.warnings
        #expect(broken.map(\.invariant.name) == [plant.invariant], "\(audit)")
        #expect(audit.holds == (invariant.weight == .warning))
        let finding = try #require(broken.first?.finding)
        #expect(finding.violations.map(\.id).contains(id), "\(finding.violations)")
        #expect(finding.count >= 1 && finding.examined >= 1)
        await shop.close()
    }

    @Test("every invariant has a mistake that breaks it: a check that cannot fail is none")
    func complete() {
        #expect(Set(Plant.all.map(\.invariant)) == Set(Invariant.all.map(\.name)))
    }

    @Test("invariants have names of their own, in kebab case, and a sentence")
    func names() {
        let names = Invariant.all.map(\.name)
        #expect(Set(names).count == names.count)
        for invariant in Invariant.all {
            #expect(invariant.name.allSatisfy { $0.isLowercase || $0 == "-" }, "\(invariant.name)")
            #expect(invariant.sentence.hasSuffix(".") && !invariant.databases.isEmpty)
        }
        #expect(Set(Invariant.all.map(\.promise)) == Set(Promise.allCases))
    }
}
