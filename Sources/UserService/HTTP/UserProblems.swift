import Chassis
import HTTPTypes

/// What a client learns of an error of this service.
extension UserError: ProblemConvertible {
    var problem: Problem {
        switch self {
        case .notFound: .notFound("User not found")
        case .alreadyExists: Problem(.badRequest, "user-exists", "User already exists")
        case .invalidCredentials: .unauthorized("Invalid credentials")
        case .tooManyFailures(let retryAfter): .tooManyRequests("Too many failed logins", retryAfter: retryAfter)
        case .overloaded: .unavailable("Too many logins at this moment", retryAfter: .seconds(2))
        case .deadlineExceeded: .deadlineExceeded
        case .invalidRefreshToken: .unauthorized("Invalid refresh token")
        case .invalidMessageToken: Problem(.badRequest, "invalid-token", "The token is not valid, or no longer")
        case .wrongPassword: .invalid("/currentPassword", "is not the current password")
        case .phoneRequired: .invalid("/notifications/sms", "needs a phone number")
        }
    }
}
