import ChassisStorage

extension PaymentMigrations {
    /// Chargebacks, the notices that were taken, and refunds that fail. A table's CHECK cannot be changed on SQLite, so refunds move into a new one.
    static let chargebacks = Migration(
        "003_chargebacks",
        """
        ALTER TABLE payments ADD COLUMN charged_back $integer NOT NULL DEFAULT 0 CHECK (charged_back >= 0);
        ALTER TABLE payments ADD COLUMN chargeback_reversed $integer NOT NULL DEFAULT 0 CHECK (
            chargeback_reversed >= 0 AND chargeback_reversed <= charged_back
            AND refunded + charged_back - chargeback_reversed <= captured
        );
        CREATE UNIQUE INDEX payments_by_reference ON payments (provider_reference) WHERE provider_reference IS NOT NULL;

        CREATE TABLE chargebacks (
            id $id,
            payment_id $integer NOT NULL REFERENCES payments (id),
            provider_reference TEXT NOT NULL UNIQUE,
            amount $integer NOT NULL CHECK (amount > 0),
            currency TEXT NOT NULL,
            reversed $integer NOT NULL CHECK (reversed IN (0, 1)),
            created_at $integer NOT NULL
        ) $strict;
        CREATE INDEX chargebacks_by_payment ON chargebacks (payment_id);

        CREATE TABLE provider_events (
            provider TEXT NOT NULL,
            id TEXT NOT NULL,
            received_at $integer NOT NULL,
            PRIMARY KEY (provider, id)
        ) $strict;
        CREATE INDEX provider_events_by_age ON provider_events (received_at);

        CREATE TABLE new_refunds (
            id $id,
            payment_id $integer NOT NULL REFERENCES payments (id),
            amount $integer NOT NULL CHECK (amount > 0),
            currency TEXT NOT NULL,
            reason TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded', 'failed')),
            provider_reference TEXT,
            created_at $integer NOT NULL
        ) $strict;
        INSERT INTO new_refunds (id, payment_id, amount, currency, reason, status, provider_reference, created_at)
            SELECT id, payment_id, amount, currency, reason, status, provider_reference, created_at FROM refunds;
        DROP TABLE refunds;
        ALTER TABLE new_refunds RENAME TO refunds;
        CREATE INDEX refunds_by_payment ON refunds (payment_id);

        CREATE TABLE sandbox_chargebacks (
            key TEXT PRIMARY KEY,
            charge_key TEXT NOT NULL UNIQUE REFERENCES sandbox_charges (key),
            amount $integer NOT NULL CHECK (amount > 0),
            currency TEXT NOT NULL,
            reversed $integer NOT NULL CHECK (reversed IN (0, 1))
        ) $strict;
        """)
}
