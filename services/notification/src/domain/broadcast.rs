//! A broadcast: the same thing said to an audience, estate by estate, page by page (NT-11, NT-13, NT-39, NT-45, NT-46).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::error::WrongState;
use steward_kit::ids::EstateId;
use uuid::Uuid;

use super::codes::{Actor, BroadcastChangeKind, BroadcastState, Channel, Class};
use super::ids::{BroadcastId, TemplateVersionId};
use super::routing::Condition;

/// What a broadcast says to whom, beside its template and estates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BroadcastDocument {
    /// Which households; none means every one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Condition>,
    /// Who is left out all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// Values of the template's variables.
    pub variables: BTreeMap<String, String>,
    /// Channels in the order wanted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
    /// Whether the audience was chosen by traits (NT-44).
    pub uses_profile: bool,
    /// What the danger is, in an emergency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency_reason: Option<String>,
}

/// A reason to leave a household out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Its code.
    pub code: String,
    /// Who is left out.
    pub when: Condition,
}

/// What somebody did to a broadcast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BroadcastChange {
    /// What.
    pub kind: BroadcastChangeKind,
    /// Who.
    pub actor: Actor,
    /// When.
    pub time: Timestamp,
    /// Why; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A broadcast as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// Its id.
    pub id: BroadcastId,
    /// What people call it.
    pub title: String,
    /// Its estates, in the order in which they are told.
    pub estate_ids: Vec<EstateId>,
    /// What its messages are.
    pub class: Class,
    /// The version of the template that everybody gets.
    pub template_version_id: TemplateVersionId,
    /// Key of the template.
    pub template_key: String,
    /// Version of the template.
    pub template_version: i32,
    /// What it says to whom.
    pub document: BroadcastDocument,
    /// What it is about.
    pub subject_kind: String,
    /// Id of what it is about.
    pub subject_id: Option<Uuid>,
    /// When its first page is made.
    pub start_time: Timestamp,
    /// When every message shall be made.
    pub due_time: Option<Timestamp>,
    /// Where it stands.
    pub state: BroadcastState,
    /// Whether it was not done when it was due.
    pub is_late: bool,
    /// When its first page was made.
    pub begin_time: Option<Timestamp>,
    /// When it was done or stopped.
    pub end_time: Option<Timestamp>,
    /// Who did what to it; the first is its creation.
    pub changes: Vec<BroadcastChange>,
    /// Estates of which every household was listed.
    pub estate_done_count: i32,
    /// Households listed.
    pub household_count: i32,
    /// Messages made.
    pub message_count: i32,
    /// Pages made: who writes the next one must have seen all of them.
    pub page_count: i32,
    /// Version of the row; pages do not raise it, changes of state do.
    pub row_version: i64,
    /// When it was created.
    pub create_time: Timestamp,
    /// When its state or progress last changed.
    pub update_time: Timestamp,
}

/// How one estate of a broadcast stands. Every household listed is in exactly one of the counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstateProgress {
    /// The estate.
    pub estate_id: EstateId,
    /// Where the next page begins; empty for the first.
    pub page_token: String,
    /// Whether every household was listed.
    pub is_done: bool,
    /// Households listed.
    pub household_count: i32,
    /// Messages made.
    pub message_count: i32,
    /// Households without a main contact.
    pub without_contact_count: i32,
    /// Households whose contact was told through another one.
    pub told_already_count: i32,
    /// Households left out, by the code of the exclusion.
    pub excluded_counts: BTreeMap<String, i32>,
}

impl EstateProgress {
    /// An estate of which nothing was listed yet.
    pub fn new(estate_id: EstateId) -> Self {
        Self {
            estate_id,
            page_token: String::new(),
            is_done: false,
            household_count: 0,
            message_count: 0,
            without_contact_count: 0,
            told_already_count: 0,
            excluded_counts: BTreeMap::new(),
        }
    }

    /// Counts a household that an exclusion left out.
    pub fn exclude(&mut self, code: &str) {
        *self.excluded_counts.entry(code.to_owned()).or_default() += 1;
    }
}

impl Broadcast {
    /// Whether its pages wait for the lane of what is said to many; emergencies wait for nothing (NT-39, NT-41).
    pub fn is_bulk(&self) -> bool {
        self.class != Class::Emergency
    }

    /// Who created it.
    pub fn creator(&self) -> Option<Actor> {
        self.changes.first().map(|change| change.actor.clone())
    }

    /// Lets it stand still.
    ///
    /// # Errors
    /// It stands still already, or is over.
    pub fn pause(&mut self, by: Actor, reason: &str, now: Timestamp) -> Result<(), WrongState> {
        self.change(BroadcastChangeKind::Paused, (by, reason), BroadcastState::Paused, now)
    }

    /// Lets it go on where it stood.
    ///
    /// # Errors
    /// It does not stand still.
    pub fn resume(&mut self, by: Actor, reason: &str, now: Timestamp) -> Result<(), WrongState> {
        let state = if self.begin_time.is_some() { BroadcastState::Running } else { BroadcastState::Scheduled };
        self.change(BroadcastChangeKind::Resumed, (by, reason), state, now)
    }

    /// Gives it up.
    ///
    /// # Errors
    /// It is over.
    pub fn stop(&mut self, by: Actor, reason: &str, now: Timestamp) -> Result<(), WrongState> {
        self.change(BroadcastChangeKind::Stopped, (by, reason), BroadcastState::Stopped, now)?;
        self.end(now);
        Ok(())
    }

    /// Takes a page in: households that were listed, messages that were made. `listed` is how its estate then stands.
    pub fn take_page(&mut self, before: &EstateProgress, listed: &EstateProgress, now: Timestamp) {
        self.begin_time.get_or_insert(now);
        self.household_count += listed.household_count - before.household_count;
        self.message_count += listed.message_count - before.message_count;
        self.estate_done_count += i32::from(listed.is_done);
        self.page_count += 1;
        let is_done = usize::try_from(self.estate_done_count).is_ok_and(|done| done >= self.estate_ids.len());
        let state = if is_done { BroadcastState::Done } else { BroadcastState::Running };
        self.row_version += i64::from(state != self.state);
        self.state = state;
        self.update_time = now;
        if is_done {
            self.end(now);
        }
    }

    fn end(&mut self, now: Timestamp) {
        self.end_time = Some(now);
        self.is_late |= self.due_time.is_some_and(|due| now > due);
    }

    fn change(
        &mut self,
        kind: BroadcastChangeKind,
        (by, reason): (Actor, &str),
        state: BroadcastState,
        now: Timestamp,
    ) -> Result<(), WrongState> {
        let allowed = allowed(self.state);
        if !allowed.contains(&kind) {
            let subject = format!("broadcast {}", self.id);
            let verbs = allowed.iter().map(|kind| verb(*kind));
            let detail = format!("a broadcast that is {} can not be {kind}", self.state);
            return Err(WrongState::new("BROADCAST_STATE_FORBIDS", subject, self.state.as_str(), verbs, detail));
        }
        self.changes.push(BroadcastChange { kind, actor: by, time: now, reason: reason.to_owned() });
        self.state = state;
        self.row_version += 1;
        self.update_time = now;
        Ok(())
    }
}

/// What can be done to a broadcast in a state.
fn allowed(state: BroadcastState) -> &'static [BroadcastChangeKind] {
    match state {
        BroadcastState::Scheduled | BroadcastState::Running => &[BroadcastChangeKind::Paused, BroadcastChangeKind::Stopped],
        BroadcastState::Paused => &[BroadcastChangeKind::Resumed, BroadcastChangeKind::Stopped],
        BroadcastState::Stopped | BroadcastState::Done => &[],
    }
}

/// What a caller asks for to make a change.
fn verb(kind: BroadcastChangeKind) -> &'static str {
    match kind {
        BroadcastChangeKind::Created => "create",
        BroadcastChangeKind::Paused => "pause",
        BroadcastChangeKind::Resumed => "resume",
        BroadcastChangeKind::Stopped => "stop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::codes::ActorKind;

    fn broadcast(estates: usize) -> Broadcast {
        let now = at(0);
        Broadcast {
            id: BroadcastId::new(),
            title: "minutes".to_owned(),
            estate_ids: (0..estates).map(|_| EstateId::new()).collect(),
            class: Class::Service,
            template_version_id: TemplateVersionId::new(),
            template_key: "forum.minutes".to_owned(),
            template_version: 1,
            document: BroadcastDocument::default(),
            subject_kind: String::new(),
            subject_id: None,
            start_time: now,
            due_time: Some(at(100)),
            state: BroadcastState::Scheduled,
            is_late: false,
            begin_time: None,
            end_time: None,
            changes: Vec::new(),
            estate_done_count: 0,
            household_count: 0,
            message_count: 0,
            page_count: 0,
            row_version: 1,
            create_time: now,
            update_time: now,
        }
    }

    fn somebody() -> Actor {
        Actor::new(ActorKind::Staff, "manager-1")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_772_416_800 + second, 0)
    }

    fn page(broadcast: &mut Broadcast, households: i32, is_done: bool, now: Timestamp) {
        let before = EstateProgress::new(broadcast.estate_ids[0]);
        let after = EstateProgress { household_count: households, message_count: households, is_done, ..before.clone() };
        broadcast.take_page(&before, &after, now);
    }

    /// NT-46: each state allows its verbs, a refusal names them, and who did what when and why is kept.
    #[test]
    fn each_state_allows_its_verbs() {
        let mut broadcast = broadcast(1);
        let refusal = broadcast.resume(somebody(), "", at(1)).unwrap_err();
        assert_eq!((refusal.state.as_str(), refusal.allowed.as_slice()), ("scheduled", ["pause".to_owned(), "stop".to_owned()].as_slice()));
        broadcast.pause(somebody(), "", at(1)).unwrap();
        broadcast.resume(somebody(), "", at(2)).unwrap();
        assert_eq!(broadcast.state, BroadcastState::Scheduled, "it had not begun");
        page(&mut broadcast, 10, false, at(3));
        broadcast.pause(somebody(), "", at(4)).unwrap();
        broadcast.resume(somebody(), "", at(5)).unwrap();
        assert_eq!(broadcast.state, BroadcastState::Running);
        broadcast.stop(somebody(), "wrong date", at(6)).unwrap();
        let last = broadcast.changes.last().unwrap();
        assert_eq!((last.actor.clone(), last.time, last.reason.as_str()), (somebody(), at(6), "wrong date"));
        assert!(broadcast.stop(somebody(), "", at(7)).unwrap_err().allowed.is_empty());
        assert_eq!((broadcast.end_time, broadcast.is_late, broadcast.row_version), (Some(at(6)), false, 7));
    }

    /// NT-13: what is done after it was due is late; pages raise no version but when the state changes.
    #[test]
    fn it_is_done_with_its_last_estate_and_late_after_its_time() {
        let mut broadcast = broadcast(2);
        page(&mut broadcast, 10, false, at(1));
        page(&mut broadcast, 10, true, at(2));
        assert_eq!((broadcast.state, broadcast.row_version, broadcast.page_count), (BroadcastState::Running, 2, 2));
        page(&mut broadcast, 5, true, at(101));
        assert_eq!((broadcast.state, broadcast.row_version, broadcast.is_late), (BroadcastState::Done, 3, true));
        assert_eq!((broadcast.household_count, broadcast.begin_time, broadcast.end_time), (25, Some(at(1)), Some(at(101))));
    }
}
