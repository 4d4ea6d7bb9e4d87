/// How much the other side may still send (RFC 9113 section 6.9), and when it may send more.
///
/// The window is opened again as far as what has come was used, and in large steps, so that few frames are about windows: once less than half of it is left.
/// Whoever uses nothing has the other side stop after one window.
struct ReceiveWindow {
    /// What both sides begin with, unless their settings say something else.
    static let initialSize = 65_535

    private var size = Self.initialSize

    /// The other side has used some of the window, or was told that it is larger.
    mutating func change(to size: Int) { self.size = size }

    /// By how much it may be opened now; it is then taken as done.
    /// - Parameter unused: bytes that have come and still wait.
    mutating func open(unused: Int) -> Int? {
        let covered = size + unused
        guard covered < Self.initialSize / 2 else { return nil }
        defer { size += Self.initialSize - covered }
        return Self.initialSize - covered
    }
}
