import Crypto

/// What has been taken and is to be told, in pieces; a piece stays until it is answered.
struct TakingsOutbox {
    private struct Piece {
        let number: Int
        let entries: [(hash: UInt64, taking: Taking)]
        /// When the first of it may have been taken, in nanoseconds.
        let since: Int64
    }

    /// How many callers one piece is about: the server does nothing else while it works on it.
    static let pieceSize = 1_000
    /// What was taken longer ago is told only as far as it still holds its caller back: the rest is past.
    private static let memoryNanoseconds: Int64 = 2_000_000_000

    private let table: ArrivalTable
    private let secret: SymmetricKey
    private let sender: String
    private var pieces: [Piece] = []
    private var lastNumber = 0
    private var lastRemoval: Int64

    /// - Parameters:
    ///   - sender: tells this proxy from the others.
    ///   - now: nanoseconds, as all times here.
    init(_ table: ArrivalTable, secret: String, sender: String, now: Int64) {
        self.table = table
        self.secret = SymmetricKey(data: Array(secret.utf8))
        self.sender = sender
        lastRemoval = now
    }

    /// Takes over what was taken since the last time, once all of that is answered.
    ///
    /// - Returns: how many requests could not be noted for want of room.
    mutating func fill(now: Int64) -> Int {
        guard pieces.isEmpty else { return 0 }
        let (entries, untold) = table.removeTakings()
        let since = lastRemoval
        lastRemoval = now
        var rest = entries.map { (hash: $0, taking: $1) }[...]
        while !rest.isEmpty {
            lastNumber += 1
            pieces.append(Piece(number: lastNumber, entries: Array(rest.prefix(Self.pieceSize)), since: since))
            rest = rest.dropFirst(Self.pieceSize)
        }
        return untold
    }

    /// The next piece as the script takes it; nil when all is told.
    func question(now: Int64) -> SharedArrivalScript.Question? {
        guard let piece = pieces.first else { return nil }
        let isPast = now - piece.since > Self.memoryNanoseconds
        return SharedArrivalScript.Question(
            sender: sender, number: piece.number,
            entries: piece.entries.map { _, taking in
                let lead = max(0, taking.arrival - now)
                return .init(
                    key: key(of: taking.caller), total: isPast ? min(taking.total, lead) : taking.total, lead: lead)
            })
    }

    /// The piece that was asked for was answered.
    ///
    /// - Parameters:
    ///   - leads: of each of its callers, in nanoseconds from now.
    ///   - now: when the answer came, so that a caller is held back too long by the way of the answer rather than too short.
    mutating func learn(_ leads: [Int64], now: Int64) throws(RedisError) {
        guard let piece = pieces.first, leads.count == piece.entries.count else { throw .unexpected }
        pieces.removeFirst()
        for (entry, lead) in zip(piece.entries, leads) { table.learn(now + lead, of: entry.hash, now: now) }
    }

    /// The caller's key: who reads the server's memory learns no addresses, names or tokens from it (HMAC, RFC 2104, with SHA-256, of which 128 bits
    /// are kept).
    private func key(of caller: SharedCaller) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(caller.limit)\n\(caller.caller)".utf8), using: secret)
        return code.prefix(16).reduce(into: "souk:limit:") { text, byte in
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
        }
    }
}
