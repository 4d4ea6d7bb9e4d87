public import Chassis

/// A database that is overloaded, locked, full or away is answered with 503 and `Retry-After`, not with an opaque 500.
extension StorageError: TransientFailure {}
