import Foundation

/// Ties this process to the one that started it, which holds the other end of its standard input: when that is gone, however it ended, so is
/// the reason to run.
public enum Lifeline {
    /// Sends this process SIGTERM when its standard input ends.
    public static func stopWhenInputEnds() {
        let watcher = Thread {
            var byte: UInt8 = 0
            while read(STDIN_FILENO, &byte, 1) > 0 {}
            kill(getpid(), SIGTERM)
        }
        watcher.start()
    }
}
