/// Fields that make browsers careful (OWASP Secure Headers Project). A field that the upstream sets itself stays as it is.
enum SecurityHeaders {
    static let fields: [(name: String, value: String)] = [
        ("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ]

    /// Two years; only where the client has come over TLS (RFC 6797 section 7.2).
    static let strictTransport = (name: "strict-transport-security", value: "max-age=63072000; includeSubDomains")
}
