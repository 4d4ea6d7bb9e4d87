import ChassisStorage

extension PaymentMigrations {
    static let payments = Migration(
        "001_payments",
        """
        CREATE TABLE payments (
            id $id,
            order_id $integer NOT NULL UNIQUE,
            user_id $integer NOT NULL,
            amount $integer NOT NULL CHECK (amount >= 0),
            currency TEXT NOT NULL,
            method TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('pending', 'captured', 'failed', 'voided', 'partially-refunded', 'refunded')),
            captured $integer NOT NULL DEFAULT 0 CHECK (captured IN (0, amount)),
            refunded $integer NOT NULL DEFAULT 0 CHECK (refunded >= 0),
            refund_pending $integer NOT NULL DEFAULT 0 CHECK (refund_pending >= 0),
            attempts $integer NOT NULL DEFAULT 0,
            order_cancelled $integer NOT NULL DEFAULT 0 CHECK (order_cancelled IN (0, 1)),
            failure_reason TEXT,
            provider_reference TEXT,
            created_at $integer NOT NULL,
            CHECK (refunded + refund_pending <= captured)
        ) $strict;

        CREATE TABLE refunds (
            id $id,
            payment_id $integer NOT NULL REFERENCES payments (id),
            amount $integer NOT NULL CHECK (amount > 0),
            currency TEXT NOT NULL,
            reason TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('pending', 'succeeded')),
            provider_reference TEXT,
            created_at $integer NOT NULL
        ) $strict;
        CREATE INDEX refunds_by_payment ON refunds (payment_id);

        CREATE TABLE ledger_transfers (
            id $id,
            key TEXT NOT NULL UNIQUE,
            payment_id $integer NOT NULL REFERENCES payments (id),
            debit_account TEXT NOT NULL,
            credit_account TEXT NOT NULL,
            amount $integer NOT NULL CHECK (amount > 0),
            currency TEXT NOT NULL,
            created_at $integer NOT NULL,
            CHECK (debit_account <> credit_account)
        ) $strict;
        CREATE INDEX ledger_transfers_by_payment ON ledger_transfers (payment_id);
        """)
}

/// The payment database's history.
enum PaymentMigrations {
    static let all = [payments, sandbox, chargebacks]
}
