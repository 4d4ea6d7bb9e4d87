import Crypto
import CryptoExtras

/// The function that makes a digest of a password: scrypt, or in tests one that counts.
struct KeyDerivation: Sendable {
    let derive: @Sendable (_ password: Password, _ salt: [UInt8], _ cost: ScryptCost) throws -> [UInt8]

    /// scrypt (RFC 7914), by BoringSSL. It takes about a quarter of a second of one core at the standard cost.
    static let scrypt = KeyDerivation { password, salt, cost in
        let key = try KDF.Scrypt.deriveKey(
            from: password.bytes, salt: salt, outputByteCount: PasswordHash.digestBytes, rounds: 1 << cost.logN, blockSize: cost.blockSize,
            parallelism: cost.parallelism)
        return key.withUnsafeBytes { Array($0) }
    }
}
