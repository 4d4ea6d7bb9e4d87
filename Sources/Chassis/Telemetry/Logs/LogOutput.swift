import Foundation
import Synchronization

/// Where log lines go: a file descriptor, or a closure in tests.
public struct LogOutput: Sendable {
    /// Whether a person reads it: `LogFormat.auto` asks.
    public let isTerminal: Bool
    private let writeLine: @Sendable ([UInt8]) -> Void

    /// - Parameter write: is given one whole line with its newline, from any thread and from several at once.
    public init(isTerminal: Bool = false, write: @escaping @Sendable (_ line: [UInt8]) -> Void) {
        self.isTerminal = isTerminal
        self.writeLine = write
    }

    public static let standardError = LogOutput(fileDescriptor: STDERR_FILENO)
    public static let standardOutput = LogOutput(fileDescriptor: STDOUT_FILENO)

    func write(_ line: [UInt8]) { writeLine(line) }

    /// One `write(2)` a line. A pipe keeps writes of up to `PIPE_BUF` bytes whole; for longer lines, and for writes that the kernel cuts short,
    /// a mutex around the call alone keeps the lines of this process apart.
    init(fileDescriptor: Int32) {
        let turn = Mutex(())
        self.init(isTerminal: isatty(fileDescriptor) == 1) { line in
            turn.withLock { _ in Self.writeAll(line, to: fileDescriptor) }
        }
    }

    /// Gives up on the rest of a line when nobody reads for `patienceMilliseconds`, or on an error: there is nowhere left to tell of it.
    private static func writeAll(_ line: [UInt8], to fileDescriptor: Int32) {
        let patienceMilliseconds: Int32 = 100
        line.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = Foundation.write(fileDescriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if written < 0, errno == EINTR {
                    continue
                } else if written < 0, errno == EAGAIN {
                    var descriptor = pollfd(fd: fileDescriptor, events: Int16(POLLOUT), revents: 0)
                    guard poll(&descriptor, 1, patienceMilliseconds) > 0 else { return }
                } else {
                    return
                }
            }
        }
    }
}
