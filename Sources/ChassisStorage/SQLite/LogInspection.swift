// Whether a log that a crash left behind is torn at its end, which is as it should be, or damaged in its middle, which is a loss.
//
// SQLite's recovery reads the frames of the log (https://www.sqlite.org/fileformat2.html#the_write_ahead_log) up to the first one whose checksum
// is wrong, and takes that for the place where the crash struck. What follows it is forgotten without a word. After a crash that is right:
// commits are synced one after another, so that behind the torn one there is nothing that anybody was told of. But where a disk has damaged a
// frame in the middle, whole commits follow, each of which was acknowledged.
//
// A frame behind the first bad one belongs to this log and no former one if it has the log's salts, which change whenever the log begins
// anew. The commit that the crash tore has a single frame that ends it. So two such frames behind a bad one are proof: at least one of them was
// acknowledged, and to go on would lose it.

import Foundation

enum LogInspection {
    private static let headerBytes = 32
    private static let frameHeaderBytes = 24
    /// What a log begins with; the last bit tells the byte order of its checksums.
    private static let magic: UInt32 = 0x377f_0682

    /// - Throws: ``StorageError`` (corrupt) when opening `path` would lose commits of its log.
    static func check(logOf path: String) throws(StorageError) {
        guard let log = try? Data(contentsOf: URL(filePath: path + "-wal"), options: .alwaysMapped), losesCommits([UInt8](log)) else {
            return
        }
        throw StorageError(.corrupt, "its log \(path)-wal is damaged in the middle: what was committed after that place would be lost")
    }

    /// Whether whole commits follow a frame that is not as it was written.
    static func losesCommits(_ log: [UInt8]) -> Bool {
        guard log.count > headerBytes, log.word(at: 0) & ~1 == magic else { return false }
        let pageBytes = Int(log.word(at: 8))
        guard pageBytes >= 512, pageBytes <= 65_536 else { return false }
        let frameBytes = frameHeaderBytes + pageBytes
        let isBigEndian = log.word(at: 0) & 1 == 1
        var sum = Checksum()
        sum.add(log[0..<24], isBigEndian: isBigEndian)
        guard sum.first == log.word(at: 24), sum.second == log.word(at: 28) else { return false }
        var isIntact = true
        var commitsBehind = 0
        for start in stride(from: headerBytes, through: log.count - frameBytes, by: frameBytes) {
            let isOfThisLog = log[start + 8..<start + 16].elementsEqual(log[16..<24])
            if isIntact {
                guard isOfThisLog else { return false }
                sum.add(log[start..<start + 8], isBigEndian: isBigEndian)
                sum.add(log[start + frameHeaderBytes..<start + frameBytes], isBigEndian: isBigEndian)
                isIntact = sum.first == log.word(at: start + 16) && sum.second == log.word(at: start + 20)
            } else if isOfThisLog, log.word(at: start + 4) != 0 {
                commitsBehind += 1
            }
        }
        return commitsBehind >= 2
    }

    /// The checksum of the format: over everything from the log's beginning, two words at a time.
    private struct Checksum {
        var first: UInt32 = 0
        var second: UInt32 = 0

        mutating func add(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) {
            bytes.withUnsafeBytes { bytes in
                for offset in stride(from: 0, to: bytes.count, by: 8) {
                    let (left, right) = (
                        bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self),
                        bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
                    )
                    first = first &+ (isBigEndian ? UInt32(bigEndian: left) : UInt32(littleEndian: left)) &+ second
                    second = second &+ (isBigEndian ? UInt32(bigEndian: right) : UInt32(littleEndian: right)) &+ first
                }
            }
        }
    }
}

extension [UInt8] {
    /// The big-endian word at an offset.
    fileprivate func word(at offset: Int) -> UInt32 {
        self[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
