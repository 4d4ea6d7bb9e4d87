import Commerce
import Crypto
import Synchronization

/// Remembers whom a token speaks for, so that a token is verified once and not with every request.
///
/// **Key.** The SHA-256 of the whole token, signature included: half a match is none, looking it up tells nothing about the
/// token by its timing, and no bearer token lies around in memory.
///
/// **Bound.** Two generations of half the capacity each. New and used entries live in the young one; when it is full it becomes the
/// old one, and what was in the old one and not used meanwhile is gone. That is nearly "least recently used", with two dictionaries and
/// no list to maintain under the lock.
///
/// **Abuse.** Only tokens whose signature was found good may enter, so that nobody can flush the cache with inventions. A user who
/// collects thousands of real tokens can push out others that are idle; those are verified once more, which costs 0.1 ms.
///
/// **Validity.** An entry is answered until its token expires, by the wall clock, and while its key is published.
final class VerifiedTokenCache<Subject: Sendable>: Sendable {
    typealias Fingerprint = SHA256.Digest

    private struct Entry {
        let subject: Subject
        let expiresAt: Timestamp
        let keyID: String
    }

    private struct Generations {
        var young: [Fingerprint: Entry] = [:]
        var old: [Fingerprint: Entry] = [:]
    }

    private let generationCapacity: Int
    private let generations = Mutex(Generations())

    /// - Parameter capacity: the most entries it holds, at least 2.
    init(capacity: Int) {
        precondition(capacity >= 2, "a cache of verified tokens holds at least two")
        generationCapacity = capacity / 2
    }

    static func fingerprint(of token: String) -> Fingerprint {
        var token = token
        var hash = SHA256()
        token.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return hash.finalize()
    }

    var count: Int {
        generations.withLock { $0.young.count + $0.old.count }
    }

    func subject(of fingerprint: Fingerprint, at now: Timestamp) -> Subject? {
        generations.withLock { generations in
            if let entry = generations.young[fingerprint] {
                guard now < entry.expiresAt else {
                    generations.young[fingerprint] = nil
                    return nil
                }
                return entry.subject
            }
            guard let entry = generations.old.removeValue(forKey: fingerprint), now < entry.expiresAt else { return nil }
            add(entry, for: fingerprint, to: &generations)
            return entry.subject
        }
    }

    /// Only for a token that was just verified.
    func insert(_ subject: Subject, for fingerprint: Fingerprint, expiresAt: Timestamp, keyID: String) {
        generations.withLock { generations in
            generations.old[fingerprint] = nil
            add(Entry(subject: subject, expiresAt: expiresAt, keyID: keyID), for: fingerprint, to: &generations)
        }
    }

    /// Forgets the tokens of keys that are no longer published.
    func keepOnly(keyIDs: Set<String>) {
        generations.withLock { generations in
            generations.young = generations.young.filter { keyIDs.contains($0.value.keyID) }
            generations.old = generations.old.filter { keyIDs.contains($0.value.keyID) }
        }
    }

    private func add(_ entry: Entry, for fingerprint: Fingerprint, to generations: inout Generations) {
        if generations.young.count >= generationCapacity, generations.young[fingerprint] == nil {
            generations.old = generations.young
            generations.young = [:]
        }
        generations.young[fingerprint] = entry
    }
}
