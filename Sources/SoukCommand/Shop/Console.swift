import Foundation

/// What a person reads, line by line as it happens, also when the output is a file or a pipe.
enum Console {
    static func print(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }
}
