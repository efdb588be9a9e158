//! What premises are, and how they are used.

use steward_kit::codes;

codes! {
    /// What premises are used for (CP-11).
    PremisesType {
        /// Homes.
        Residential = "residential",
        /// Shops, offices and other business premises.
        Commercial = "commercial",
    }
}

codes! {
    /// How a unit is used (CP-17).
    Occupancy {
        /// Not recorded.
        Unspecified = "unspecified",
        /// Not handed over yet.
        Undelivered = "undelivered",
        /// Handed over, nobody has moved in.
        DeliveredNotMovedIn = "delivered_not_moved_in",
        /// Being renovated.
        Renovating = "renovating",
        /// Lived in or used by the owner.
        Occupied = "occupied",
        /// Let.
        Leased = "leased",
        /// Empty.
        Vacant = "vacant",
    }
}
