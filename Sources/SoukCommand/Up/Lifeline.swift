import Foundation

/// Standard input as the thread that a program holds this one by: when that program is gone, however it ended, the system closes it.
enum Lifeline {
    /// Asks this process to stop, as SIGTERM does, once standard input has ended.
    static func stopWhenInputEnds() {
        let watcher = Thread {
            var byte: UInt8 = 0
            while read(STDIN_FILENO, &byte, 1) > 0 {}
            kill(getpid(), SIGTERM)
        }
        watcher.start()
    }
}
