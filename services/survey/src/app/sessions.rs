//! Interviews, focus groups and forums; the opinions voiced become feedback items (SV-07, SV-08, SV-13).

use jiff::Timestamp;
use prost::Message;
use steward_kit::ids::{CustomerId, EstateId};
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};
use steward_kit_store::store_error;

use super::App;
use super::transact::{Call, Follows, TRIES, Target, or_repeated};
use crate::domain::codes::{FeedbackSource, SessionKind, SessionState};
use crate::domain::ids::{SessionId, WaveId};
use crate::domain::{NewFeedback, Participant, Session, Theme, Wave};
use crate::store::records::{Record, Stored};
use steward_kit_store::Effects;

/// A session to plan.
#[derive(Debug)]
pub(crate) struct NewSession {
    pub(crate) estate: EstateId,
    pub(crate) wave: Option<WaveId>,
    pub(crate) kind: SessionKind,
    pub(crate) topic: String,
    pub(crate) guide: String,
    pub(crate) appointment_time: Timestamp,
}

/// What was said.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) time: Timestamp,
    pub(crate) notes: Pii<String>,
    pub(crate) themes: Vec<Theme>,
    pub(crate) opinions: Vec<Opinion>,
}

/// An opinion that was voiced.
#[derive(Clone, Debug)]
pub(crate) struct Opinion {
    pub(crate) text: Pii<String>,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) topic: String,
}

impl App {
    /// Makes an appointment. One trip, two for a session of a wave.
    pub(crate) async fn create_session<A: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewSession,
        answer: impl Fn(&Session) -> A + Sync,
    ) -> Result<A> {
        let estate = call.access.scope.estate(new.estate)?.id();
        drop(self.rules.estates.get(estate).await?);
        if let Some(wave) = new.wave {
            let wave: Wave = self.load(call.access, wave).await?;
            if wave.estate_id != estate {
                return Err(Error::not_found("wave", wave.id));
            }
        }
        let now = self.clock.now();
        let session = Session {
            id: SessionId::new(),
            estate_id: estate,
            wave_id: new.wave,
            kind: new.kind,
            state: SessionState::Planned,
            topic: new.topic,
            guide: new.guide,
            appointment_time: new.appointment_time,
            participants: Vec::new(),
            notes: Pii::default(),
            themes: Vec::new(),
            feedback_item_ids: Vec::new(),
            hold_time: None,
            create_time: now,
            update_time: now,
            row_version: 1,
        };
        self.create(call, &session, Follows::nothing(), answer, now).await
    }

    /// Adds somebody. Two trips.
    pub(crate) async fn add_participant<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        who: &Participant,
        answer: impl Fn(&Session) -> A + Sync,
    ) -> Result<A> {
        self.change(call, target, |session: &Session, now| Ok((session.add(who.clone(), now)?, Follows::nothing())), answer).await
    }

    /// Records that a session took place. A transaction: the session and its opinions belong together.
    pub(crate) async fn hold_session<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        held: Held,
        answer: impl Fn(&Session) -> A + Sync,
    ) -> Result<A> {
        for _ in 0..TRIES {
            let before: Session = or_repeated!(self, call, self.load(call.access, target.id).await);
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                break;
            }
            let now = self.clock.now();
            let source = match before.kind {
                SessionKind::Forum => FeedbackSource::Forum,
                SessionKind::Interview | SessionKind::FocusGroup => FeedbackSource::Interview,
            };
            let mut items = Vec::with_capacity(held.opinions.len());
            let mut follows = Follows::nothing();
            for opinion in &held.opinions {
                let new = NewFeedback {
                    estate_id: before.estate_id,
                    source,
                    customer_id: opinion.customer,
                    household_id: None,
                    text: opinion.text.clone(),
                    topic: opinion.topic.clone(),
                    source_ref: before.id.to_string(),
                    receive_time: held.time,
                };
                let (item, then) = self.received(new, now).await?;
                follows.events.extend(then.events);
                follows.timers.extend(then.timers);
                items.push(item);
            }
            let ids = items.iter().map(|item| item.id).collect();
            let after = before.hold(held.time, held.notes.clone(), held.themes.clone(), ids, now);
            let mut after = or_repeated!(self, call, after);
            after.set_row(before.row_version + 1, now);
            let response = answer(&after);
            let effects = self.effects(call, &response, follows);
            let mut tx = match self.save_first(&after, before.row_version, &effects, now).await? {
                Ok(Some(tx)) => tx,
                Ok(None) => continue,
                Err(error) => return self.failed(call, error).await,
            };
            for item in &items {
                item.insert(&mut tx, &self.cipher, &Effects::none(), now).await?.map_err(store_error)?;
            }
            return self.conclude(tx, &effects, response).await;
        }
        self.unless_repeated(call, Error::Stale { resource: "session" }).await
    }

    /// Codes the themes anew. Two trips.
    pub(crate) async fn code_session<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        themes: &[Theme],
        answer: impl Fn(&Session) -> A + Sync,
    ) -> Result<A> {
        self.change(call, target, |session: &Session, now| Ok((session.code(themes.to_vec(), now)?, Follows::nothing())), answer).await
    }

    /// It does not take place. Two trips.
    pub(crate) async fn cancel_session<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Session) -> A + Sync,
    ) -> Result<A> {
        self.change(call, target, |session: &Session, now| Ok((session.cancel(now)?, Follows::nothing())), answer).await
    }
}
