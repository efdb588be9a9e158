//! Enums that stand as text in the database: one text per value, for ever.

pub use steward_kit::auth::{Actor, PrincipalKind as ActorKind};
use steward_kit::codes;

codes! {
    /// What a programme is for.
    ProgrammeKind {
        /// The yearly measurement.
        Annual = "annual",
        /// A wave in each period.
        Periodic = "periodic",
        /// A new service or an incident.
        Special = "special",
        /// At a stage of a customer's life with us.
        Stage = "stage",
        /// After a case or an activity.
        Micro = "micro",
        /// Interviews and focus groups.
        Interview = "interview",
    }
}

codes! {
    /// Where a wave stands.
    WaveState {
        /// Being designed.
        Draft = "draft",
        /// Households are drawn.
        Framed = "framed",
        /// Answers are taken.
        Launched = "launched",
        /// Results stand.
        Closed = "closed",
        /// Put away.
        Archived = "archived",
        /// Given up.
        Cancelled = "cancelled",
    }
}

codes! {
    /// How an answer is given.
    Mode {
        /// By the respondent.
        Online = "online",
        /// On paper.
        Paper = "paper",
        /// To an interviewer.
        Interview = "interview",
        /// In a focus group.
        FocusGroup = "focus_group",
        /// By telephone.
        Phone = "phone",
        /// At the door.
        Visit = "visit",
    }
}

codes! {
    /// What became of a household of a frame.
    FrameVerdict {
        /// Eligible, not drawn.
        Eligible = "eligible",
        /// Left out.
        Excluded = "excluded",
        /// Drawn.
        Sampled = "sampled",
        /// Drawn and not asked.
        Skipped = "skipped",
    }
}

codes! {
    /// Where a frame job stands.
    JobState {
        /// At work.
        Running = "running",
        /// Stands still.
        Paused = "paused",
        /// The wave is framed.
        Done = "done",
        /// It cannot be done.
        Failed = "failed",
        /// Given up.
        Cancelled = "cancelled",
    }
}

codes! {
    /// What a frame job is doing.
    JobStep {
        /// Reads who is eligible.
        Reading = "reading",
        /// Draws.
        Drawing = "drawing",
        /// Asks the contact ledger.
        Checking = "checking",
    }
}

codes! {
    /// Where an invitation stands.
    InvitationState {
        /// Its message is on the way.
        Invited = "invited",
        /// The message arrived.
        Delivered = "delivered",
        /// Opened.
        Opened = "opened",
        /// Begun.
        Started = "started",
        /// Answered.
        Responded = "responded",
        /// A token was taken.
        Participated = "participated",
        /// The message did not arrive.
        Undeliverable = "undeliverable",
    }
}

codes! {
    /// Whether a response counts.
    Verdict {
        /// It counts.
        Valid = "valid",
        /// It does not.
        Invalid = "invalid",
        /// Somebody must look.
        Held = "held",
        /// Its cell was full.
        OverQuota = "over_quota",
        /// Its paper waits for the second entry.
        PendingEntry = "pending_entry",
    }
}

codes! {
    /// What a session is.
    SessionKind {
        /// An in-depth interview.
        Interview = "interview",
        /// A focus group.
        FocusGroup = "focus_group",
        /// An owners' forum.
        Forum = "forum",
    }
}

codes! {
    /// Where a session stands.
    SessionState {
        /// An appointment is made.
        Planned = "planned",
        /// It took place.
        Held = "held",
        /// It did not.
        Cancelled = "cancelled",
    }
}

codes! {
    /// Where a feedback item stands.
    FeedbackState {
        /// Came in.
        New = "new",
        /// Looked at.
        Assessed = "assessed",
        /// Will be done.
        Adopted = "adopted",
        /// Will not be done.
        Declined = "declined",
        /// Was done.
        Done = "done",
    }
}

codes! {
    /// Where a feedback item came from.
    FeedbackSource {
        /// The suggestion box.
        SuggestionBox = "suggestion_box",
        /// A forum.
        Forum = "forum",
        /// An interview or focus group.
        Interview = "interview",
        /// An open question.
        Survey = "survey",
        /// A steward.
        Steward = "steward",
        /// The hotline.
        Hotline = "hotline",
    }
}

codes! {
    /// Where an improvement plan stands.
    PlanState {
        /// Being written.
        Draft = "draft",
        /// Under way.
        Submitted = "submitted",
        /// Every measure is done.
        Implemented = "implemented",
        /// The effect must be recorded.
        FollowUpDue = "follow_up_due",
        /// The effect is known.
        Verified = "verified",
        /// Given up.
        Cancelled = "cancelled",
    }
}

codes! {
    /// Which report.
    ReportKind {
        /// Half-year.
        MidYear = "mid_year",
        /// Year.
        Annual = "annual",
    }
}

codes! {
    /// Where a report stands.
    ReportState {
        /// Waits for its author.
        Draft = "draft",
        /// Handed in.
        Submitted = "submitted",
    }
}

codes! {
    /// Where a mystery visit stands.
    MysteryState {
        /// To be made.
        Planned = "planned",
        /// Made and scored.
        Scored = "scored",
        /// The estate has appealed.
        Appealed = "appealed",
        /// The score stands.
        Final = "final",
        /// Given up.
        Cancelled = "cancelled",
    }
}

codes! {
    /// How households are drawn.
    Method {
        /// Every eligible one.
        Census = "census",
        /// Each with the same chance.
        SimpleRandom = "simple_random",
        /// The same within each stratum.
        Stratified = "stratified",
        /// In random order until each cell has its answers.
        Quota = "quota",
    }
}

codes! {
    /// How a sample is split over strata.
    Allocation {
        /// By size.
        Proportional = "proportional",
        /// The same of each.
        Equal = "equal",
    }
}

codes! {
    /// What figures use a question for.
    Role {
        /// Overall satisfaction.
        Overall = "overall",
        /// Would recommend.
        Recommend = "recommend",
        /// Would buy or renew again.
        Repurchase = "repurchase",
        /// Complained within the recall window.
        Complained = "complained",
        /// The complaint was handled in time.
        ComplaintTimely = "complaint_timely",
        /// Opinions and suggestions.
        Suggestion = "suggestion",
    }
}
