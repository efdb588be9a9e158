//! Codes of activities, fund, stock and packages.

use steward_kit::codes;

codes! {
    /// Families of activities (CA-70).
    ActivityFamily {
        /// 亲子.
        ParentChild = "parent_child",
        /// 老年.
        Elderly = "elderly",
        /// 年轻人.
        Young = "young",
        /// 节日.
        Festival = "festival",
        /// 品牌建设.
        Brand = "brand",
        /// 工地开放日.
        OpenDay = "open_day",
    }
}

codes! {
    /// Where an activity stands.
    ActivityState {
        /// Being planned.
        Draft = "draft",
        /// Approved.
        Approved = "approved",
        /// Shown.
        Published = "published",
        /// Held and counted.
        Closed = "closed",
        /// Not held.
        Cancelled = "cancelled",
    }
}

codes! {
    /// Where a registration stands.
    RegistrationState {
        /// It has its places.
        Confirmed = "confirmed",
        /// It waits.
        Waiting = "waiting",
        /// It came.
        CheckedIn = "checked_in",
        /// It did not come.
        NoShow = "no_show",
        /// It waited in vain.
        Lapsed = "lapsed",
        /// It was cancelled.
        Cancelled = "cancelled",
    }
}

codes! {
    /// Kinds of entries of a care fund.
    FundEntryKind {
        /// Money came in.
        Deposit = "deposit",
        /// Set aside for a project.
        Commitment = "commitment",
        /// Spent.
        Spending = "spending",
        /// Given back by a project.
        Release = "release",
        /// A counter entry.
        Reversal = "reversal",
    }
}

codes! {
    /// Where an amount of a care fund lies.
    FundPlace {
        /// Not in the fund.
        Outside = "outside",
        /// Free.
        Available = "available",
        /// Committed.
        Committed = "committed",
        /// Spent.
        Spent = "spent",
    }
}

codes! {
    /// What is kept in stock.
    StockItemKind {
        /// For customers.
        Gift = "gift",
        /// For the staff.
        Material = "material",
    }
}

codes! {
    /// Kinds of movements of stock.
    StockMovementKind {
        /// Came in.
        Received = "received",
        /// Given out.
        Issued = "issued",
        /// Given back.
        Returned = "returned",
        /// Lost or spoilt.
        WrittenOff = "written_off",
        /// Corrected by a count.
        Counted = "counted",
    }
}

codes! {
    /// Where an enrolment stands.
    EnrolmentState {
        /// It goes on.
        Active = "active",
        /// It lasts to the end of the period that is paid.
        Ending = "ending",
        /// Over.
        Ended = "ended",
    }
}

codes! {
    /// Where a parcel stands.
    ParcelState {
        /// It waits.
        Kept = "kept",
        /// It waits too long.
        Overdue = "overdue",
        /// It was fetched.
        HandedOut = "handed_out",
    }
}

codes! {
    /// How often an item of a package comes again. Counted from the first day of an enrolment.
    PackagePeriod {
        /// Seven days.
        Week = "week",
        /// A month.
        Month = "month",
        /// Three months.
        Quarter = "quarter",
        /// Six months.
        HalfYear = "half_year",
        /// Twelve months.
        Year = "year",
    }
}
