public import Chassis
public import Commerce
import Crypto
public import Foundation
import HTTPTypes
public import Hummingbird

// Idempotency keys: one key, one effect, one response.
//
// The problem. A client that got no answer does not know whether its order was placed. It must be able to ask again without ordering twice.
// So it names its request with an `Idempotency-Key`; all requests of one user with one key on one route are one request (after
// draft-ietf-httpapi-idempotency-key-header, and what Stripe does).
//
// How. The response is a row of `idempotency_keys`, inserted in the transaction that has the effect. The primary key (scope, key) lets one
// transaction do that. The look before is for speed; the insertion decides, and no two requests can both pass it.
//
//   1. turn     of equal keys in this process one works at a time; the others wait for it, each in its turn; after ten seconds: 409
//   2. look     a stored response is given again, with `Idempotency-Replayed: true`; if it was for another request: 422. Without one, what
//               was made under the key may still say that it is used up
//   3. prepare  what must be asked of others, outside any transaction. It may happen more than once for one key, so it must itself be
//               idempotent under the key: a reservation whose id is derived from it
//   4. commit   the effect, and the row with the response, in one transaction
//
// What a crash leaves.
// - Before the commit: no effect here and no row. The client asks again and everything is done anew; `prepare` finds what it did.
// - After the commit, before the answer: effect and row. The client asks again and gets the response.
//
// Two processes (replicas on Postgres) may both get to 4. One of them violates the primary key: all that it did is rolled back, and it
// answers with what the other has stored.
//
// What is remembered. Every 2xx, and every 4xx that says something about the request: it would say the same again. Not remembered are
// those that say something about the moment: 401, 403, 408, 409 and 429. And never a 5xx: the next attempt is meant to do better, and
// since an effect and its row are one commit, there is no effect to protect.
//
// How long. A response is kept for three days (`RetentionSettings.idempotencyKeys`). After that the key is free again, unless `look` still knows
// what it made: an order refuses its key for ever.
//
// A request without a key gets a random one, so that `prepare` and `commit` need not care. It is not remembered: nobody could ask for it.

/// Makes a POST that creates or charges safe to repeat.
public struct Idempotency: Sendable {
    /// The table of keys.
    public static let migrations = [IdempotencyTable.migration]

    /// How long a key is kept at least.
    public let retention: Duration
    /// How long a request waits for another with its key before it gets a 409.
    private static let turnLimit: Duration = .seconds(10)

    private let database: Database
    private let time: TimeSource
    private let randomness: Randomness
    private let inProgress = KeysInProgress()

    /// - Parameter retention: how long a key is kept at least.
    public init(
        database: Database, time: TimeSource, randomness: Randomness, retention: Duration = RetentionSettings().idempotencyKeys
    ) {
        self.database = database
        self.time = time
        self.randomness = randomness
        self.retention = retention
    }

    /// Handles a call so that all calls with its scope and key have one effect and one response.
    ///
    /// - Parameters:
    ///   - scope: whose keys these are, and for what: the user's id and the route. Nobody meets another's key.
    ///   - fingerprint: what the request asks for; see ``fingerprint(of:body:)``. The same key with another one is a mistake of the client.
    ///   - look: runs in the same snapshot as the look for a stored response, when there is none: what is known of the key for longer than
    ///     its response is kept. What it throws ends the call, and is not remembered.
    ///   - prepare: runs outside any transaction, perhaps more than once for one key, and so must be idempotent under the key.
    ///   - commit: has the effect. It happens once, in one transaction with the response that it returns. A `Problem` that it throws
    ///     undoes all that it did.
    /// - Throws: a `Problem`: 400 for a key that is none, 409 `idempotency-key-in-progress`, 422 `idempotency-key-reused`. What `prepare` or
    ///   `commit` throws, unless it is a problem that is remembered: that is returned as a response.
    public func once<Prepared: Sendable>(
        _ call: Call, scope: String, fingerprint: [UInt8],
        look: @escaping @Sendable (IdempotencyKey, Transaction) throws -> Void = { _, _ in },
        prepare: (IdempotencyKey) async throws -> Prepared,
        commit: @escaping @Sendable (Prepared, IdempotencyKey, Transaction) throws -> RecordedResponse
    ) async throws -> Response {
        let key = try IdempotencyKey(of: call.request, randomness)
        guard key.isFromClient else {
            let prepared = try await prepare(key)
            return try await database.write { try commit(prepared, key, $0) }.response
        }
        let request = KeyedRequest(scope: scope, key: key, fingerprint: fingerprint, path: call.request.uri.path)
        return try await inTurn(request) {
            if let stored = try await stored(request, otherwise: look) { return stored }
            return try await perform(request, prepare: prepare, commit: commit)
        }
    }

    /// Forgets up to `limit` of the oldest keys from before `cutoff`. Returns how many went.
    public static func removeOldest(before cutoff: Timestamp, limit: Int, in transaction: Transaction) throws -> Int {
        try IdempotencyTable.removeOldest(before: cutoff, limit: limit, in: transaction)
    }

    // MARK: The steps

    /// A request under a client's key.
    private struct KeyedRequest: Sendable {
        let scope: String
        let key: IdempotencyKey
        let fingerprint: [UInt8]
        let path: String
    }

    /// The response that is stored already, marked as given again. When there is none, `look` has its say.
    private func stored(
        _ request: KeyedRequest, otherwise look: @escaping @Sendable (IdempotencyKey, Transaction) throws -> Void = { _, _ in }
    ) async throws -> Response? {
        let entry = try await database.read { transaction in
            let entry = try IdempotencyTable.find(scope: request.scope, key: request.key.value, in: transaction)
            if entry == nil { try look(request.key, transaction) }
            return entry
        }
        guard let entry else { return nil }
        guard entry.fingerprint == request.fingerprint else { throw Problem.idempotencyKeyReused }
        var response = entry.response.response
        response.headers[.idempotencyReplayed] = "true"
        return response
    }

    /// Runs `body` while no other request of this process works on the same key.
    private func inTurn(_ request: KeyedRequest, _ body: () async throws -> Response) async throws -> Response {
        let id = KeysInProgress.ID(scope: request.scope, key: request.key.value)
        guard await acquire(id) else {
            try Task.checkCancellation()
            throw Problem.idempotencyKeyInProgress
        }
        defer { inProgress.release(id) }
        return try await body()
    }

    /// Waits for the turn. False when it did not come within the limit.
    private func acquire(_ id: KeysInProgress.ID) async -> Bool {
        if inProgress.acquireAtOnce(id) { return true }
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask { await inProgress.acquire(id) }
            group.addTask {
                try? await time.sleep(for: Self.turnLimit)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            // The turn may have come in the moment the limit passed: then it is ours after all.
            return await group.next().map { $0 || first } ?? first
        }
    }

    private func perform<Prepared: Sendable>(
        _ request: KeyedRequest, prepare: (IdempotencyKey) async throws -> Prepared,
        commit: @escaping @Sendable (Prepared, IdempotencyKey, Transaction) throws -> RecordedResponse
    ) async throws -> Response {
        let prepared: Result<Prepared, any Error>
        do {
            prepared = .success(try await prepare(request.key))
        } catch {
            // Only a problem that is remembered goes on, to be stored; anything else ends here.
            _ = try remembered(error)
            prepared = .failure(error)
        }
        do {
            let response = try await database.write { [time] transaction in
                let response = try respond(to: request, in: transaction) { try commit(try prepared.get(), request.key, transaction) }
                let entry = IdempotencyTable.Entry(fingerprint: request.fingerprint, response: response)
                do {
                    try IdempotencyTable.insert(entry, scope: request.scope, key: request.key.value, now: time.now, in: transaction)
                } catch let error as StorageError where error.isUniqueViolation {
                    throw StoredByAnother()
                }
                return response
            }
            return response.response
        } catch is StoredByAnother {
            guard let stored = try await stored(request) else { throw Problem.idempotencyKeyInProgress }
            return stored
        }
    }

    /// Another process was first: what this one did is rolled back.
    private struct StoredByAnother: Error {}

    /// The response of `commit`, or the remembered problem that it threw after undoing what it did.
    private func respond(
        to request: KeyedRequest, in transaction: Transaction, _ commit: () throws -> RecordedResponse
    ) throws -> RecordedResponse {
        do {
            return try transaction.savepoint(commit)
        } catch {
            return try .problem(try remembered(error), instance: request.path)
        }
    }

    /// The problem that `error` is, if it is one that would be the same again; else throws `error`.
    private func remembered(_ error: any Error) throws -> Problem {
        let problem = (error as? Problem) ?? (error as? any ProblemConvertible)?.problem
        guard let problem, problem.status.kind == .clientError, !Self.momentary.contains(problem.status.code) else { throw error }
        return problem
    }

    /// Refusals that say something about the moment and not about the request.
    private static let momentary: Set<Int> = [401, 403, 408, 409, 429]
}

// MARK: - Fingerprints

extension Idempotency {
    /// What a call asks for: SHA-256 over its method, its path and what was read from its body.
    ///
    /// - Parameter body: the values that matter. Written anew as JSON, so that the order of members and white space in the client's own
    ///   text make no difference.
    public static func fingerprint(of call: Call, body: some Encodable) throws -> [UInt8] {
        fingerprint(of: call, bytes: try JSON.encodedBytes(body))
    }

    /// What a call asks for: SHA-256 over its method, its path and its body as it came.
    public static func fingerprint(of call: Call, bytes: some DataProtocol) -> [UInt8] {
        var hash = SHA256()
        // None of method and path holds a line feed, so that no two different requests are the same text.
        hash.update(data: Data("\(call.request.method.rawValue)\n\(call.request.uri.path)\n".utf8))
        hash.update(data: bytes)
        return Array(hash.finalize())
    }
}

extension Problem {
    fileprivate static let idempotencyKeyReused = Problem(
        .unprocessableContent, "idempotency-key-reused", "This Idempotency-Key was used for another request")

    fileprivate static let idempotencyKeyInProgress = Problem(
        .conflict, "idempotency-key-in-progress", "A request with this Idempotency-Key is still running"
    ).with(header: .retryAfter, "1")
}
