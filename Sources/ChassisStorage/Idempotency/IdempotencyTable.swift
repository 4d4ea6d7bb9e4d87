import Chassis
import Commerce
import HTTPTypes

/// The responses given under each key: the table `idempotency_keys`.
enum IdempotencyTable {
    static let migration = Migration(
        "idempotency_001_keys",
        """
        CREATE TABLE idempotency_keys (
            scope TEXT NOT NULL,
            key TEXT NOT NULL,
            fingerprint $blob NOT NULL,
            status $integer NOT NULL CHECK (status BETWEEN 100 AND 499),
            headers TEXT NOT NULL,
            body $blob NOT NULL,
            created_at $integer NOT NULL,
            PRIMARY KEY (scope, key)
        ) $strict;
        CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
        """)

    /// What is stored under a key.
    struct Entry: Sendable {
        let fingerprint: [UInt8]
        let response: RecordedResponse
    }

    static func find(scope: String, key: String, in transaction: Transaction) throws -> Entry? {
        try transaction.first(
            "SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE scope = \(scope) AND key = \(key)"
        ) { row in
            let headers: String = try row["headers"]
            return Entry(
                fingerprint: try row["fingerprint"],
                response: RecordedResponse(
                    status: HTTPResponse.Status(code: try row["status"]), headers: try Self.headers(from: headers), body: try row["body"]))
        }
    }

    /// - Throws: a unique violation when the key has an entry already.
    static func insert(_ entry: Entry, scope: String, key: String, now: Timestamp, in transaction: Transaction) throws {
        let response = entry.response
        try transaction.execute(
            """
            INSERT INTO idempotency_keys (scope, key, fingerprint, status, headers, body, created_at)
            VALUES (\(scope), \(key), \(entry.fingerprint), \(response.status.code), \(try text(of: response.headers)), \(response.body), \(now))
            """)
    }

    /// Removes up to `limit` of the oldest entries from before `cutoff`. Returns how many went.
    static func removeOldest(before cutoff: Timestamp, limit: Int, in transaction: Transaction) throws -> Int {
        try transaction.execute(
            """
            DELETE FROM idempotency_keys WHERE (scope, key) IN (
                SELECT scope, key FROM idempotency_keys WHERE created_at < \(cutoff) ORDER BY created_at LIMIT \(limit))
            """)
    }

    // MARK: Headers, as a JSON array of pairs

    private static func text(of headers: HTTPFields) throws -> String {
        try JSON.text(headers.map { [$0.name.rawName, $0.value] })
    }

    private static func headers(from text: String) throws -> HTTPFields {
        var headers = HTTPFields()
        for pair in try JSON.decode([[String]].self, from: text) {
            guard pair.count == 2, let name = HTTPField.Name(pair[0]) else { throw StorageError.conversion("found a header that is none") }
            headers.append(HTTPField(name: name, value: pair[1]))
        }
        return headers
    }
}
