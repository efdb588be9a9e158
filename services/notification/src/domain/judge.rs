//! May this contact be made now, by which channels, and if not, why and until when (M7; NT-24, NT-28, NT-36 to NT-38).
//!
//! The one place that decides: messages of this service and contacts that others ask about come the same way. The questions
//! come in one order: conditions of the rule, channels wanted, do not disturb, consent, reachability, choice by traits,
//! situation of the household, caps, quiet hours. Each answer is a step that is kept.

use jiff::Timestamp;

use super::circumstances::{Audience, Circumstances, CustomerFacts, Held};
use super::codes::{CapScope, Channel, Class, Purpose, StepCode, SuppressReason};
use super::message::{Recipient, Step};
use super::policy::QuietHolds;
use super::reach::{ordered, preferred, quiet_window, spread, unreachable};

/// A contact that is thought of.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What it is for.
    pub class: Class,
    /// How it would be made.
    pub by: By<'a>,
    /// When it would be made.
    pub at: Timestamp,
}

/// How a contact would be made.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// A message of ours; without wanted channels, class and preferences choose.
    Message(&'a Recipient, &'a [Channel]),
    /// Something else: a call, a visit, or a message that is not written yet, perhaps by a known channel.
    Other(Option<Channel>),
}

/// What was decided, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What is to become of it.
    pub decision: Decision,
    /// How that came about, in order.
    pub steps: Vec<Step>,
    /// What speaks against it.
    pub reasons: Vec<Reason>,
}

/// What speaks against a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `CAP_HOUSEHOLD`, `QUIET_HOURS`.
    pub code: String,
    /// The rule that says so, such as the code of a cap.
    pub rule: String,
    /// From when it would speak against it no more.
    pub until: Option<Timestamp>,
}

impl Reason {
    fn new(code: impl Into<String>, rule: &str, until: Option<Timestamp>) -> Self {
        Self { code: code.into(), rule: rule.to_owned(), until }
    }
}

/// What is to become of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Goes out: each channel not before its time.
    Send(Vec<(Channel, Timestamp)>),
    /// Waits.
    Defer(Timestamp),
    /// Does not go out.
    Suppress(SuppressReason),
}

/// Decides. `now` is when the steps are taken; the contact itself is judged as of its own time.
pub fn judge(asked: &Asked<'_>, what: &Circumstances, now: Timestamp) -> Judgement {
    let mut court = Court { asked, what, now, steps: Vec::new(), reasons: Vec::new() };
    let decision = court.decide();
    let Court { mut steps, reasons, .. } = court;
    let because = reasons.first().map_or_else(String::new, |reason| reason.code.to_lowercase());
    match &decision {
        Decision::Send(channels) => {
            for (channel, due) in channels {
                steps.push(Step::new(now, StepCode::ChannelChosen, [("channel", channel.to_string())]));
                if *due > asked.at {
                    let details = [("channel", channel.to_string()), ("until", due.to_string()), ("reason", because.clone())];
                    steps.push(Step::new(now, StepCode::Deferred, details));
                }
            }
        }
        Decision::Defer(until) => {
            steps.push(Step::new(now, StepCode::Deferred, [("until", until.to_string()), ("reason", because)]));
        }
        Decision::Suppress(reason) => steps.push(Step::new(now, StepCode::Suppressed, [("reason", reason.to_string())])),
    }
    Judgement { decision, steps, reasons }
}

struct Court<'a> {
    asked: &'a Asked<'a>,
    what: &'a Circumstances,
    now: Timestamp,
    steps: Vec<Step>,
    reasons: Vec<Reason>,
}

impl Court<'_> {
    fn step<const N: usize>(&mut self, code: StepCode, details: [(&str, String); N]) {
        self.steps.push(Step::new(self.now, code, details));
    }

    fn leave_out(&mut self, channel: Channel, reason: &str) {
        self.step(StepCode::ChannelLeftOut, [("channel", channel.to_string()), ("reason", reason.to_owned())]);
    }

    fn refuse(&mut self, reason: SuppressReason, code: &str) -> Decision {
        self.reasons.push(Reason::new(code, "", None));
        Decision::Suppress(reason)
    }

    /// Whether the household is one that the rule is for; the conditions that decided it are told.
    fn is_meant(&mut self, audience: &Audience) -> bool {
        let code = if audience.is_member { StepCode::AudienceMet } else { StepCode::AudienceMissed };
        if audience.conditions.is_empty() {
            self.step(code, []);
        }
        for Held { field, operator, fact } in audience.conditions.iter().cloned() {
            self.step(code, [("field", field), ("operator", operator), ("fact", fact)]);
        }
        audience.is_member
    }

    fn decide(&mut self) -> Decision {
        let (what, asked) = (self.what, self.asked);
        let (rule, customer) = (&what.rule, what.customer.as_ref());
        if let Some(audience) = &what.audience
            && !self.is_meant(audience)
        {
            return self.refuse(SuppressReason::NotInAudience, "NOT_IN_AUDIENCE");
        }
        let Some(mut channels) = self.wanted() else { return self.refuse(SuppressReason::Preference, "OPTED_OUT") };
        if rule.heeds_do_not_disturb && customer.is_some_and(|customer| customer.do_not_disturb) {
            return self.refuse(SuppressReason::DoNotDisturb, "DO_NOT_DISTURB");
        }
        if let Some(purpose) = rule.consent
            && !self.keep_agreed(&mut channels, purpose)
        {
            let said_stop = customer.is_some_and(|customer| customer.withdrawn.contains(&purpose));
            return self.refuse(SuppressReason::NoConsent, if said_stop { "OPTED_OUT" } else { "CONSENT_MISSING" });
        }
        if let By::Message(recipient, _) = asked.by {
            for channel in std::mem::take(&mut channels) {
                match unreachable(channel, recipient, what) {
                    Some(reason) => self.leave_out(channel, reason),
                    None => channels.push(channel),
                }
            }
        }
        match rule.consent {
            Some(purpose) => self.step(StepCode::ConsentFound, [("purpose", purpose.to_string())]),
            None => self.step(StepCode::ConsentNotNeeded, [("class", asked.class.to_string())]),
        }
        if channels.is_empty() && matches!(asked.by, By::Message(..)) {
            return self.refuse(SuppressReason::NoChannel, "CHANNEL_UNREACHABLE");
        }
        let agreed_to_profiling = |customer: &CustomerFacts| customer.consents.iter().any(|(purpose, _)| *purpose == Purpose::Profiling);
        if what.ledger.uses_profile && !customer.is_some_and(agreed_to_profiling) {
            return self.refuse(SuppressReason::Profiling, "PROFILING_REFUSED");
        }
        for situation in &what.ledger.situations {
            self.step(StepCode::SituationHolds, [("situation", situation.clone())]);
            self.reasons.push(Reason::new(format!("SUPPRESSED_{}", situation.to_uppercase()), situation, None));
        }
        if !self.reasons.is_empty() {
            return Decision::Suppress(SuppressReason::Situation);
        }
        if let Some(held) = self.caps() {
            return held;
        }
        self.quiet_hours(channels)
    }

    /// The channels that are left of those wanted; none when the customer wants none of the class.
    fn wanted(&mut self) -> Option<Vec<Channel>> {
        let (what, asked) = (self.what, self.asked);
        let preference = preferred(asked.class, what);
        let (basis, any): (&[Channel], bool) = match &asked.by {
            By::Message(_, []) => (what.rule.channels.as_slice(), false),
            By::Message(_, wanted) => (wanted, false),
            By::Other(Some(channel)) => (std::slice::from_ref(channel), false),
            By::Other(None) => (&[], true),
        };
        let mut channels = Vec::new();
        for channel in ordered(basis, preference) {
            let stays = channel == Channel::Inbox && what.rule.inbox_stays;
            if stays || preference.is_none_or(|preferred| preferred.contains(&channel)) {
                channels.push(channel);
            } else {
                self.leave_out(channel, "preference");
            }
        }
        // A call or a visit needs no channel of ours, but a customer who wants nothing of the class wants no call either.
        let some = if any { preference.is_none_or(|preferred| !preferred.is_empty()) } else { !channels.is_empty() };
        some.then_some(channels)
    }

    /// Leaves the channels with consent; false when there is none for any.
    fn keep_agreed(&mut self, channels: &mut Vec<Channel>, purpose: Purpose) -> bool {
        let consents = self.what.customer.as_ref().map(|customer| customer.consents.as_slice()).unwrap_or_default();
        if channels.is_empty() {
            return consents.iter().any(|(agreed, _)| *agreed == purpose);
        }
        for channel in std::mem::take(channels) {
            if consents.contains(&(purpose, channel)) {
                channels.push(channel);
            } else {
                self.leave_out(channel, "no_consent");
            }
        }
        !channels.is_empty()
    }

    /// What the caps say, if one is reached.
    fn caps(&mut self) -> Option<Decision> {
        let (ledger, at) = (&self.what.ledger, self.asked.at);
        if let Some(already) = ledger.already {
            self.step(StepCode::AlreadyCounted, [("reservation_id", already.to_string())]);
            return None;
        }
        let mut waits = true;
        for (code, cap) in &ledger.caps {
            let contacts = match cap.scope {
                CapScope::Household if ledger.household.is_some() => &ledger.household_contacts,
                CapScope::Person if ledger.person.is_some() => &ledger.person_contacts,
                // Nobody is named whom this cap counts.
                CapScope::Household | CapScope::Person => continue,
            };
            let room = cap.room(contacts, at, &self.what.zone);
            let numbers = [("cap", code.clone()), ("used", room.used.to_string()), ("limit", cap.limit.to_string())];
            if room.is_free {
                self.step(StepCode::CapHasRoom, numbers);
                continue;
            }
            let [cap_code, used, limit] = numbers;
            let until = room.free_from.map_or_else(String::new, |until| until.to_string());
            self.step(StepCode::CapReached, [cap_code, used, limit, ("until", until)]);
            let name = match cap.scope {
                CapScope::Household => "CAP_HOUSEHOLD",
                CapScope::Person => "CAP_PERSON",
            };
            self.reasons.push(Reason::new(name, code, room.free_from));
            waits &= cap.defers && room.free_from.is_some();
        }
        if self.reasons.is_empty() {
            return None;
        }
        match self.reasons.iter().filter_map(|reason| reason.until).max() {
            Some(until) if waits => Some(Decision::Defer(self.open_after(until).unwrap_or(until))),
            Some(_) | None => Some(Decision::Suppress(SuppressReason::Cap)),
        }
    }

    /// When quiet hours that hold at `at` are over for this contact; none when there is no quiet then.
    fn open_after(&self, at: Timestamp) -> Option<Timestamp> {
        let open = quiet_window(self.what)?.next_open(at, &self.what.zone).ok().flatten().filter(|open| *open > at)?;
        Some(spread(open, self.what))
    }

    fn quiet_hours(&mut self, channels: Vec<Channel>) -> Decision {
        let at = self.asked.at;
        let open = match self.what.rule.quiet_holds {
            QuietHolds::Nothing => None,
            QuietHolds::OutsideInbox | QuietHolds::Message => self.open_after(at),
        };
        let Some(open) = open else {
            return Decision::Send(channels.into_iter().map(|channel| (channel, at)).collect());
        };
        let waits = |channel: Channel| channel != Channel::Inbox;
        let is_whole = match self.what.rule.quiet_holds {
            QuietHolds::Message => true,
            QuietHolds::Nothing | QuietHolds::OutsideInbox => channels.is_empty(),
        };
        if is_whole || channels.iter().any(|channel| waits(*channel)) {
            self.reasons.push(Reason::new("QUIET_HOURS", "", Some(open)));
        }
        if is_whole {
            return Decision::Defer(open);
        }
        Decision::Send(channels.into_iter().map(|channel| (channel, if waits(channel) { open } else { at })).collect())
    }
}
