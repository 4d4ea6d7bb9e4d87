/// Which Souk this is.
public enum SoukVersion {
    /// Semantic version of all services and the command line; they are released together.
    public static let current = "0.1.0"
}
