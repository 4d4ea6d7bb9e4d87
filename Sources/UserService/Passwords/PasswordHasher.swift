import Chassis

/// Hashes and checks passwords, on the hashing queue's threads.
struct PasswordHasher: Sendable {
    /// What a new hash costs.
    let cost: ScryptCost
    private let derivation: KeyDerivation
    private let queue: HashingQueue
    private let time: TimeSource
    private let randomness: Randomness
    /// What the password of nobody is held against. No password has this digest but by an accident of 2²⁵⁶.
    private let nobody: PasswordHash

    init(
        cost: ScryptCost = .standard, derivation: KeyDerivation = .scrypt, queue: HashingQueue, time: TimeSource, randomness: Randomness
    ) {
        self.time = time
        self.cost = cost
        self.derivation = derivation
        self.queue = queue
        self.randomness = randomness
        nobody = PasswordHash(
            cost: cost, salt: randomness.bytes(PasswordHash.saltBytes), digest: randomness.bytes(PasswordHash.digestBytes))
    }

    /// A hash of `password` under a new salt, at the present cost.
    ///
    /// - Throws: `UserError.overloaded` when too many wait, `.deadlineExceeded` when the caller's time is over before its turn.
    func hash(_ password: Password) async throws -> PasswordHash {
        let salt = randomness.bytes(PasswordHash.saltBytes)
        return PasswordHash(cost: cost, salt: salt, digest: try await digest(of: password, salt: salt, cost: cost))
    }

    /// Whether `password` is the one that was hashed. Nil, for an account that does not exist, takes the same work and is always false.
    ///
    /// The work is that of the stored hash's cost: after the cost was raised, accounts that have not logged in since are told from those
    /// that do not exist by their speed, until they do.
    ///
    /// - Throws: as `hash`.
    func verify(_ password: Password, against stored: PasswordHash?) async throws -> Bool {
        let reference = stored ?? nobody
        let digest = try await digest(of: password, salt: reference.salt, cost: reference.cost)
        return Self.equalInConstantTime(digest, reference.digest) && stored != nil
    }

    /// Whether the hash was made at another cost than is asked for today.
    func isOutdated(_ hash: PasswordHash) -> Bool { hash.cost != cost }

    private func digest(of password: Password, salt: [UInt8], cost: ScryptCost) async throws -> [UInt8] {
        let deadline = Deadline.current
        do {
            return try await queue.run { [derivation, time] in
                if let deadline, deadline.hasPassed(time) { throw UserError.deadlineExceeded }
                return try derivation.derive(password, salt, cost)
            }
        } catch is HashingQueue.Full {
            throw UserError.overloaded
        }
    }

    /// Compares without telling by its time where the first difference is.
    private static func equalInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
