import Testing

@testable import HTTPProxy

@Suite("The window for what is received")
struct ReceiveWindowTests {
    @Test("is opened to its whole size once less than half is left, and not before")
    func steps() {
        var window = ReceiveWindow()
        for size in stride(from: 65_535, through: 32_767, by: -4_096) {
            window.change(to: size)
            #expect(window.open(unused: 0) == nil)
        }
        window.change(to: 32_766)
        #expect(window.open(unused: 0) == 65_535 - 32_766)
        // That was it, whether or not the other side has heard of it.
        #expect(window.open(unused: 0) == nil)
    }

    @Test("stays closed as long as what has come is not used")
    func unused() {
        var window = ReceiveWindow()
        window.change(to: 0)
        #expect(window.open(unused: 65_535) == nil)
        #expect(window.open(unused: 32_767) == nil)
        #expect(window.open(unused: 20_000) == 45_535)
        // The rest is used, too: more than half is open by now.
        #expect(window.open(unused: 0) == nil)
    }
}
