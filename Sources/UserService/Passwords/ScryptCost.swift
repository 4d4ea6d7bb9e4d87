/// What one hash costs: the parameters of scrypt (RFC 7914 section 2).
///
/// Memory is 128·N·r bytes, 32 MiB by the standard; time grows with N·r·p.
struct ScryptCost: Sendable, Hashable {
    /// The binary logarithm of N.
    let logN: Int
    /// r
    let blockSize: Int
    /// p
    let parallelism: Int

    /// What stored hashes may ask for. It keeps a damaged row from taking all memory.
    static let logNRange = 1...20
    static let blockSizeRange = 1...32
    static let parallelismRange = 1...16

    /// Fails outside of the ranges above.
    init?(logN: Int, blockSize: Int, parallelism: Int) {
        guard Self.logNRange.contains(logN), Self.blockSizeRange.contains(blockSize), Self.parallelismRange.contains(parallelism) else {
            return nil
        }
        self.init(checked: logN, blockSize, parallelism)
    }

    private init(checked logN: Int, _ blockSize: Int, _ parallelism: Int) {
        self.logN = logN
        self.blockSize = blockSize
        self.parallelism = parallelism
    }

    /// N=2¹⁵, r=8, p=3: one of the choices that OWASP's password storage guide holds to be equal.
    static let standard = ScryptCost(checked: 15, 8, 3)

    /// The standard with another N.
    static func standard(logN: Int) -> ScryptCost? { ScryptCost(logN: logN, blockSize: 8, parallelism: 3) }
}
