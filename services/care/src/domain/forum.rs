//! A meeting with owners: invited, held, written down within a day (CA-55 to CA-57, CA-60).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::ids::{CustomerId, HouseholdId};
use steward_kit::{Error, Result};

use super::base::{Change, Document, Promise, Stored, TimerKind, forbids};
use super::codes::{ForumReply, ForumState as State};
use super::ids::PlanItemId;
use super::terms::{MeetingTerms, Rules};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forum {
    /// Kind, as the care policy names it.
    pub kind: String,
    /// Title.
    pub title: String,
    /// Topics.
    pub topics: Vec<String>,
    /// When it begins.
    pub start_time: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Fewest representatives; 0 for no bound.
    pub min_size: u32,
    /// Most; 0 for no bound.
    pub max_size: u32,
    /// Who was invited.
    pub invitations: Vec<Invitation>,
    /// Roles that must attend.
    pub required_roles: Vec<String>,
    /// Roles that attended.
    pub attending_roles: Vec<String>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// When it ended.
    #[serde(default)]
    pub end_time: Option<Timestamp>,
    /// When the minutes are due.
    pub minutes_due_time: Option<Timestamp>,
    /// When they went out.
    pub minutes_time: Option<Timestamp>,
    /// Where they are.
    pub document_reference: String,
    /// They went out late.
    pub is_late: bool,
    /// Item of an annual plan.
    pub plan_item_id: Option<PlanItemId>,
}

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The household.
    pub household_id: HouseholdId,
    /// Whom to turn to.
    pub customer_id: Option<CustomerId>,
    /// Its building.
    pub building_code: String,
    /// What it said.
    pub reply: Option<ForumReply>,
}

/// What is told of a forum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The invitation of this place is to go.
    InvitationDue(usize),
    /// The minutes are out.
    MinutesPublished,
    /// The minutes are late.
    MinutesOverdue,
}

impl Document for Forum {
    type Fact = Fact;

    const NOUN: &'static str = "forum";

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn sort_time(&self) -> Timestamp {
        self.start_time
    }

    fn mark_time(&self) -> Option<Timestamp> {
        self.minutes_time
    }
}

impl Forum {
    /// Households that come.
    pub fn confirmed_count(&self) -> usize {
        self.invitations.iter().filter(|one| one.reply == Some(ForumReply::Comes)).count()
    }

    fn warn(&mut self) {
        self.warnings.clear();
        let count = self.confirmed_count() as u64;
        if self.min_size > 0 && count < u64::from(self.min_size) {
            self.warnings.push("TOO_FEW".to_owned());
        }
        if self.max_size > 0 && count > u64::from(self.max_size) {
            self.warnings.push("TOO_MANY".to_owned());
        }
        if self.state != State::Planned && self.required_roles.iter().any(|role| !self.attending_roles.contains(role)) {
            self.warnings.push("ROLE_MISSING".to_owned());
        }
    }

    /// A calendar was loaded anew: the minutes may be due at another time. `None` when nothing moves.
    pub fn recounted(&self, now: Timestamp, rules: &Rules) -> Result<Option<Change<Self>>> {
        let (State::Held | State::Overdue, Some(end)) = (self.state, self.end_time) else { return Ok(None) };
        let within = rules.terms.meetings.get(&self.kind).and_then(|terms| terms.minutes_within.as_ref());
        let minutes_due_time = rules.due_if(end, within)?;
        if minutes_due_time == self.minutes_due_time {
            return Ok(None);
        }
        let state = if minutes_due_time.is_some_and(|due| due <= now) { self.state } else { State::Held };
        let change = Change::to(Self { minutes_due_time, state, ..self.clone() });
        Ok(Some(change.promise(Promise::at(TimerKind::ForumMinutes, minutes_due_time))))
    }

    /// The minutes were to be out until now (CA-57).
    pub fn lapse(&self) -> Option<Change<Self>> {
        (self.state == State::Held).then(|| Change::to(Self { state: State::Overdue, ..self.clone() }).tell(Fact::MinutesOverdue))
    }
}

/// A forum is planned and its invitations go out.
pub fn plan(mut forum: Forum) -> Change<Forum> {
    forum.warn();
    let count = forum.invitations.len();
    (0..count).fold(Change::to(forum), |change, at| change.tell(Fact::InvitationDue(at)))
}

/// A household replies.
pub fn reply(before: &Stored<Forum>, household: HouseholdId, reply: ForumReply) -> Result<Change<Forum>> {
    expect(before, before.value.state == State::Planned)?;
    let mut after = before.value.clone();
    let Some(invitation) = after.invitations.iter_mut().find(|one| one.household_id == household) else {
        return Err(Error::invalid("household_id", "HOUSEHOLD_NOT_INVITED", "must have been invited"));
    };
    invitation.reply = Some(reply);
    after.warn();
    Ok(Change::to(after))
}

/// It was held, until `end`.
pub fn hold(
    before: &Stored<Forum>,
    end: Timestamp,
    roles: Vec<String>,
    terms: Option<&MeetingTerms>,
    rules: &Rules,
) -> Result<Change<Forum>> {
    expect(before, before.value.state == State::Planned)?;
    if end < before.value.start_time {
        return Err(Error::invalid("end_time", "TIME_NOT_PLAUSIBLE", "must not lie before the forum begins"));
    }
    let minutes_due_time = rules.due_if(end, terms.and_then(|terms| terms.minutes_within.as_ref()))?;
    let mut after = Forum { state: State::Held, attending_roles: roles, end_time: Some(end), minutes_due_time, ..before.value.clone() };
    after.warn();
    Ok(Change::to(after).promise(Promise::at(TimerKind::ForumMinutes, minutes_due_time)))
}

/// The minutes go out.
pub fn publish(before: &Stored<Forum>, reference: &str, now: Timestamp) -> Result<Change<Forum>> {
    expect(before, matches!(before.value.state, State::Held | State::Overdue))?;
    let is_late = before.value.minutes_due_time.is_some_and(|due| now > due);
    let document_reference = reference.to_owned();
    let after = Forum { state: State::Closed, minutes_time: Some(now), document_reference, is_late, ..before.value.clone() };
    Ok(Change::to(after).tell(Fact::MinutesPublished).promise(Promise::cancel(TimerKind::ForumMinutes)))
}

fn expect(before: &Stored<Forum>, holds: bool) -> Result<()> {
    let allowed: &[&'static str] = match before.value.state {
        State::Planned => &["RecordForumReply", "HoldForum"],
        State::Held | State::Overdue => &["PublishForumMinutes"],
        State::Closed => &[],
    };
    if holds { Ok(()) } else { forbids::<Forum, _>("FORUM_STATE_FORBIDS", before.id, before.value.state.as_str(), allowed) }
}
