import ChassisStorage

extension ProductMigrations {
    /// When each reservation came to its end, and up to which end they have been trimmed: see `ReservationStore+Retention`.
    ///
    /// Of those that ended before this was written down, the end is taken to be that of the lease.
    static let reservationRetention = Migration(
        "products_005_reservation_retention",
        """
        ALTER TABLE reservations ADD COLUMN ended_at $integer;
        UPDATE reservations SET ended_at = expires_at WHERE state IN ('returned', 'released', 'expired', 'cancelled');
        CREATE INDEX reservations_ended ON reservations (ended_at) WHERE ended_at IS NOT NULL;
        CREATE TABLE reservation_retention (
            one $integer PRIMARY KEY CHECK (one = 1),
            trimmed_through $integer NOT NULL CHECK (trimmed_through >= 0)
        ) $strict;
        INSERT INTO reservation_retention (one, trimmed_through) VALUES (1, 0);
        """)
}
