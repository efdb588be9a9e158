//! Enums that stand as text in the database and in shipped data: one text per value, for ever.

pub use steward_kit::auth::{Actor, PrincipalKind as ActorKind};
use steward_kit::codes;

codes! {
    /// Ways to reach somebody (NT-01).
    Channel {
        /// The inbox of the app.
        Inbox = "inbox",
        /// E-mail.
        Email = "email",
        /// A signed call.
        Webhook = "webhook",
    }
}

codes! {
    /// What a message is, and so which rules hold it back.
    Class {
        /// About service asked for or owed.
        Service = "service",
        /// Care.
        Care = "care",
        /// Marketing.
        Marketing = "marketing",
        /// Danger to life or property.
        Emergency = "emergency",
        /// To employees about their work.
        Staff = "staff",
        /// Surveys.
        Survey = "survey",
    }
}

codes! {
    /// Where a message stands (NT-36). Declared from worst to best: a message stands where its best delivery does.
    MessageState {
        /// A rule forbids it, for good.
        Suppressed = "suppressed",
        /// Every delivery is dead.
        Failed = "failed",
        /// Waits for a time.
        Deferred = "deferred",
        /// Waits for its turn.
        Queued = "queued",
        /// A channel has taken it.
        Sent = "sent",
        /// It has arrived.
        Delivered = "delivered",
        /// It has been read.
        Read = "read",
    }
}

codes! {
    /// Why a message was not sent.
    SuppressReason {
        /// No consent for its class and channels.
        NoConsent = "no_consent",
        /// The customer wants none of its class.
        Preference = "preference",
        /// The customer is not to be disturbed.
        DoNotDisturb = "do_not_disturb",
        /// No channel reaches the recipient.
        NoChannel = "no_channel",
        /// What it was about is over.
        Obsolete = "obsolete",
        /// A cap is reached.
        Cap = "cap",
        /// A situation of the household forbids it.
        Situation = "situation",
        /// Chosen by traits without agreement.
        Profiling = "profiling",
        /// The recipient was told the same before, by another fact.
        Repeated = "repeated",
        /// The household does not meet the conditions of the rule.
        NotInAudience = "not_in_audience",
    }
}

codes! {
    /// Where a delivery stands.
    DeliveryState {
        /// Waits for its next attempt.
        Queued = "queued",
        /// The channel has taken it.
        Sent = "sent",
        /// It has arrived.
        Delivered = "delivered",
        /// It has been read.
        Read = "read",
        /// Given up.
        Dead = "dead",
    }
}

codes! {
    /// What came of an attempt.
    AttemptOutcome {
        /// Taken or arrived.
        Accepted = "accepted",
        /// Failed for now.
        FailedForNow = "failed_for_now",
        /// Failed for good.
        FailedForGood = "failed_for_good",
    }
}

codes! {
    /// What was decided about a message, or happened to it.
    StepCode {
        /// An event matched a rule.
        Routed = "routed",
        /// A caller asked for it.
        Requested = "requested",
        /// Consent was needed and there.
        ConsentFound = "consent_found",
        /// Consent is not needed.
        ConsentNotNeeded = "consent_not_needed",
        /// The language was chosen.
        LanguageChosen = "language_chosen",
        /// A channel was chosen.
        ChannelChosen = "channel_chosen",
        /// A channel was left out.
        ChannelLeftOut = "channel_left_out",
        /// It waits until a time.
        Deferred = "deferred",
        /// It was forbidden.
        Suppressed = "suppressed",
        /// A delivery was attempted.
        Attempted = "attempted",
        /// A channel has taken it.
        Sent = "sent",
        /// It has arrived.
        Delivered = "delivered",
        /// It has been read.
        Read = "read",
        /// Another attempt will follow.
        RetrySet = "retry_set",
        /// A delivery was given up.
        Dead = "dead",
        /// A dead delivery was put back to work.
        Redriven = "redriven",
        /// A cap has room.
        CapHasRoom = "cap_has_room",
        /// A cap is reached.
        CapReached = "cap_reached",
        /// A situation of the household forbids it.
        SituationHolds = "situation_holds",
        /// It was counted before.
        AlreadyCounted = "already_counted",
        /// It waits for its turn with the ledger.
        LedgerAsked = "ledger_asked",
        /// Sent past whatever speaks against it.
        Overridden = "overridden",
        /// A delivery was not read in time.
        Unread = "unread",
        /// The household meets a condition of the rule.
        AudienceMet = "audience_met",
        /// The household does not meet a condition of the rule.
        AudienceMissed = "audience_missed",
    }
}

codes! {
    /// Where a template version stands.
    TemplateState {
        /// Written, not approved.
        Draft = "draft",
        /// Approved; sends.
        Active = "active",
        /// Replaced.
        Retired = "retired",
    }
}

codes! {
    /// What a variable holds.
    VariableKind {
        /// Text.
        Text = "text",
        /// An instant.
        Time = "time",
        /// A local date.
        Date = "date",
        /// A decimal number.
        Number = "number",
        /// A code with a name.
        Code = "code",
    }
}

codes! {
    /// How a rule finds a recipient.
    RecipientRule {
        /// The customer that the event names.
        Customer = "customer",
        /// The employee that the event names.
        Staff = "staff",
        /// A role.
        Role = "role",
        /// The roles that the event names.
        Roles = "roles",
    }
}

codes! {
    /// Whom a cap counts.
    CapScope {
        /// A household, all its members together.
        Household = "household",
        /// A customer.
        Person = "person",
    }
}

codes! {
    /// What happened to a contact.
    EntryKind {
        /// Allowed; counts.
        Reserved = "reserved",
        /// Made.
        Sent = "sent",
        /// Given back.
        Released = "released",
        /// Put off.
        Deferred = "deferred",
        /// Forbidden.
        Refused = "refused",
        /// Made in an emergency.
        Overridden = "overridden",
    }
}

codes! {
    /// Where a broadcast stands.
    BroadcastState {
        /// Waits for its start.
        Scheduled = "scheduled",
        /// Its pages are being made.
        Running = "running",
        /// Stands still.
        Paused = "paused",
        /// Given up.
        Stopped = "stopped",
        /// Every message is made.
        Done = "done",
    }
}

codes! {
    /// What somebody did to a broadcast.
    BroadcastChangeKind {
        /// Created.
        Created = "created",
        /// Paused.
        Paused = "paused",
        /// Set going again.
        Resumed = "resumed",
        /// Stopped.
        Stopped = "stopped",
    }
}

codes! {
    /// What a consent is for.
    Purpose {
        /// Care messages.
        Care = "care",
        /// Marketing.
        Marketing = "marketing",
        /// Surveys.
        Survey = "survey",
        /// Selection by traits.
        Profiling = "profiling",
    }
}

codes! {
    /// How a consent was given.
    ConsentMethod {
        /// A tick in the app.
        App = "app",
        /// A signed form.
        Paper = "paper",
        /// A recorded call.
        Call = "call",
    }
}

codes! {
    /// Languages of messages.
    Language {
        /// 简体中文.
        Zh = "zh-CN",
        /// English.
        En = "en",
    }
}
