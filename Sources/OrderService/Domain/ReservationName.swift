import Commerce
import Crypto

// A reservation is named by the request that it is for: the hex SHA-256 of the user and the idempotency key. So a request that is
// repeated (by a client that lost the answer, by a retry below it, by another replica of this service) asks for the same reservation, and
// product-service answers as before instead of holding the pieces twice.
//
// A name can be used up. When an attempt reserved but came to no order (its process died, its database was full), the lease ends by itself
// after 15 minutes; a repeat after that finds its name `ended`. To send the customer away to invent another key would be safe, but would
// make a retry fail for a reason that is not theirs. Instead the attempt takes the next *generation* of the name. That cannot hold pieces
// for two orders of one key:
//
// - the repeat only got so far because no response was stored under its key;
// - whoever stores first, under whatever generation, takes the key's row in the same transaction. Any other attempt's transaction then
//   fails on that row and answers with the stored response; the lease it holds ends by itself.
//
// The generations are bounded, and every attempt begins with the first, so that two attempts at the same time meet in the same name.

/// The id under which an order's pieces are reserved.
enum ReservationName {
    /// How many leases one key may use up. Each takes a lease's whole life to end, so more than a few are no accident.
    static let generations = 0..<4

    /// 64 hexadecimal digits. A key has no line breaks, so the parts cannot run into one another.
    static func make(user: UserID, key: String, generation: Int) -> String {
        var name = "\(user)\n\(key)"
        if generation > 0 { name += "\n\(generation)" }
        let digits = Array("0123456789abcdef".utf8)
        let hash = SHA256.hash(data: Array(name.utf8))
        return String(unsafeUninitializedCapacity: SHA256.byteCount * 2) { buffer in
            for (index, byte) in hash.enumerated() {
                buffer[index * 2] = digits[Int(byte >> 4)]
                buffer[index * 2 + 1] = digits[Int(byte & 15)]
            }
            return SHA256.byteCount * 2
        }
    }
}
