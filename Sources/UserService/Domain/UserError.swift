/// Why this service does not do what it was asked.
enum UserError: Error, Hashable {
    case notFound
    /// The email belongs to somebody already.
    case alreadyExists
    /// Wrong password or no such account: nobody learns which.
    case invalidCredentials
    /// Too many logins of this account or from this address have failed.
    case tooManyFailures(retryAfter: Duration)
    /// So many passwords wait to be checked that one more would not be answered in time.
    case overloaded
    /// The time that the caller gave was over before the password's turn came.
    case deadlineExceeded
    /// The refresh token is unknown, expired, used or revoked.
    case invalidRefreshToken
    /// The token from an email is unknown, expired or used.
    case invalidMessageToken
    /// The current password, asked for before a change, is another.
    case wrongPassword
    /// SMS was chosen without a number to send to.
    case phoneRequired
}
