//! Enums that stand as text in the database and in documents: one text per value, for ever.

pub use steward_kit::auth::{Actor, PrincipalKind as ActorKind};
use steward_kit::codes;

codes! {
    /// Layers of care (CA-01).
    Layer {
        /// For everybody.
        Basic = "basic",
        /// An answer to a need.
        Advanced = "advanced",
        /// For one household.
        Premium = "premium",
    }
}

codes! {
    /// Nodes of the customer's journey (CA-91).
    Node {
        /// Asking.
        Inquiry = "inquiry",
        /// Signing.
        Signing = "signing",
        /// Moving in.
        EarlyOccupancy = "early_occupancy",
        /// Living there.
        MidOccupancy = "mid_occupancy",
        /// Belonging.
        Community = "community",
        /// A special need.
        SpecialNeed = "special_need",
        /// More than was asked for.
        Upgrade = "upgrade",
        /// Leaving.
        Exit = "exit",
    }
}

codes! {
    /// What a touchpoint appeals to (CA-09).
    DriveTag {
        /// Delight.
        Delight = "delight",
        /// Relatability.
        Relatability = "relatability",
        /// Interaction.
        Interaction = "interaction",
        /// Value.
        Value = "value",
        /// Enthusiasm.
        Enthusiasm = "enthusiasm",
    }
}

codes! {
    /// Where a programme's version stands.
    ProgrammeState {
        /// Being written.
        Draft = "draft",
        /// Plans and acts.
        Published = "published",
        /// Plans nothing more.
        Retired = "retired",
    }
}

codes! {
    /// Where a touchpoint stands.
    TouchpointState {
        /// Its time has not come.
        Planned = "planned",
        /// Somebody is to do it.
        Due = "due",
        /// Left out for a reason that may pass.
        Excluded = "excluded",
        /// Done, not yet confirmed.
        Acted = "acted",
        /// Done and confirmed.
        Confirmed = "confirmed",
        /// Not done, or not confirmed, in time.
        Overdue = "overdue",
        /// Its reason is gone.
        Cancelled = "cancelled",
        /// Somebody decided against it.
        Skipped = "skipped",
        /// Held back on its way.
        Suppressed = "suppressed",
        /// The household gets nothing.
        HeldOut = "held_out",
    }
}

codes! {
    /// Sorts of visits.
    RoundKind {
        /// 三个月居住感受回访.
        ThreeMonth = "three_month",
        /// 一年房屋检查.
        OneYear = "one_year",
        /// 重点客户.
        KeyCustomer = "key_customer",
        /// 老人上门拜访.
        Elderly = "elderly",
        /// Any other.
        General = "general",
    }
}

codes! {
    /// Where a round stands.
    RoundState {
        /// Its visits are being drawn up.
        Preparing = "preparing",
        /// Visits are made.
        Active = "active",
        /// The report is owed.
        Ended = "ended",
        /// The report is in.
        Reported = "reported",
        /// A training case.
        Archived = "archived",
    }
}

codes! {
    /// Where a visit stands.
    VisitState {
        /// To be scheduled.
        Open = "open",
        /// Visitor and time are set.
        Scheduled = "scheduled",
        /// Under way.
        UnderWay = "under_way",
        /// Over; the form is owed.
        Done = "done",
        /// The form is in.
        Closed = "closed",
        /// Left out for a reason that may pass.
        Excluded = "excluded",
        /// Not made.
        Cancelled = "cancelled",
    }
}

codes! {
    /// Ways to speak with a household.
    ContactWay {
        /// By telephone.
        Phone = "phone",
        /// At home.
        Visit = "visit",
        /// In the app.
        App = "app",
        /// By a chat.
        Chat = "chat",
        /// By SMS.
        Sms = "sms",
        /// At the desk or an event.
        FaceToFace = "face_to_face",
    }
}

codes! {
    /// Days of a household that care is told.
    HouseholdDateKind {
        /// 认购.
        Subscription = "subscription",
        /// 签约.
        Signing = "signing",
    }
}

codes! {
    /// Where an obligation stands.
    ObligationState {
        /// Owed.
        Open = "open",
        /// Past due.
        Overdue = "overdue",
        /// Done.
        Done = "done",
        /// No longer owed.
        Cancelled = "cancelled",
    }
}

codes! {
    /// Where a forum stands.
    ForumState {
        /// Invitations are out.
        Planned = "planned",
        /// The minutes are owed.
        Held = "held",
        /// The minutes are late.
        Overdue = "overdue",
        /// The minutes are out.
        Closed = "closed",
    }
}

codes! {
    /// What a household said to an invitation.
    ForumReply {
        /// It comes.
        Comes = "comes",
        /// It does not.
        Declines = "declines",
    }
}

codes! {
    /// Kinds of work orders that care asks for.
    OrderKind {
        /// 咨询.
        Inquiry = "inquiry",
        /// 报修.
        Repair = "repair",
        /// 投诉.
        Complaint = "complaint",
        /// 需求.
        Request = "request",
        /// 建议.
        Suggestion = "suggestion",
        /// 表扬.
        Praise = "praise",
    }
}
