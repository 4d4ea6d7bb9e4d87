import ChassisStorage

extension PaymentMigrations {
    /// The sandbox provider's own book; see `SandboxProvider`.
    static let sandbox = Migration(
        "002_sandbox",
        """
        CREATE TABLE sandbox_charges (
            key TEXT PRIMARY KEY,
            amount $integer NOT NULL,
            currency TEXT NOT NULL,
            calls $integer NOT NULL,
            charged $integer NOT NULL CHECK (charged IN (0, 1))
        ) $strict;

        CREATE TABLE sandbox_refunds (
            key TEXT PRIMARY KEY,
            charge_key TEXT NOT NULL REFERENCES sandbox_charges (key),
            amount $integer NOT NULL CHECK (amount > 0),
            currency TEXT NOT NULL
        ) $strict;
        """)
}
