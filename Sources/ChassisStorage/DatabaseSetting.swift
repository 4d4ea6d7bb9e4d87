public import Chassis

extension SettingsReader {
    /// `DATABASE_URL`: where this service keeps what it owns.
    public func database(default standard: String) -> DatabaseURL {
        parsed("database.url", type: "sqlite:PATH | postgres://…", default: standard, "Where this service keeps what it owns.") {
            try DatabaseURL($0)
        } ?? .sqliteMemory  // stands in for a wrong value until `finish` throws
    }
}
