public import Chassis

/// A database that is overloaded, locked, full, damaged or away is answered with 503 and `Retry-After`, not with an opaque 500.
///
/// What is wrong with it is for the log, `/ready` and `souk status`; a customer learns whether to come back at once or later.
extension StorageError: TransientFailure {
    public var problem: Problem {
        switch code {
        case .busy, .overloaded: .unavailable("The service is busy, try again")
        case .diskFull, .readOnly: .unavailable("Nothing can be stored at the moment, try again later", retryAfter: .seconds(10))
        default: .unavailable("The data cannot be reached at the moment, try again later", retryAfter: .seconds(10))
        }
    }
}
