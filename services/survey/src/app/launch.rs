//! The launch, the invitations that follow it, and reminders, which are decided when they are sent (SV-53). Batches of a timer,
//! each of which sets the timer of the next: it goes on after a crash where it stood.

use jiff::Timestamp;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::auth::Scope;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, TimerChange};
use uuid::Uuid;

use super::App;
use super::transact::{Call, Follows, Target, or_repeated};
use crate::domain::Wave;
use crate::domain::codes::WaveState;
use crate::events::publish;
use crate::store::asking::{insert_next, take_for_reminder};
use crate::store::counts::load_numbers;
use crate::store::records::Stored;

/// Kind of the timer that makes the next invitations. Its key is the last household that was asked.
pub(crate) const INVITE: &str = "invite";
/// Kind of the timer of a round of reminders. Its key is `<number>/<last invitation>`.
pub(crate) const REMIND: &str = "remind";

/// Kind of the timer that closes a wave whose time is over (SV-01).
pub(crate) const CLOSE: &str = "close_wave";

/// Households of one transaction.
const BATCH: i64 = 500;

impl App {
    /// Launches a wave. Two trips; invitations follow by a timer that is due at once.
    pub(crate) async fn launch_wave<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Wave) -> A + Sync,
    ) -> Result<A> {
        let wave: Wave = or_repeated!(self, call, self.load(call.access, target.id).await);
        let rules = self.rules.of_wave(&wave).await?;
        let terms = rules.terms(&wave.programme_code);
        let open_until = rules.maybe_due(self.clock.now(), terms.open_for.as_ref())?;
        let remind = if terms.reminders > 0 { rules.maybe_due(self.clock.now(), terms.reminder_after.as_ref())? } else { None };
        let decide = |wave: &Wave, now| {
            let launched = wave.launch(open_until, now)?;
            let mut follows =
                Follows::event(publish::wave_launched(&launched, now)).and(TimerChange::set(INVITE, wave.id, "", wave.estate_id, now));
            if let Some(due) = launched.design.close_due_time {
                follows = follows.and(TimerChange::set(CLOSE, wave.id, "", wave.estate_id, due));
            }
            if let Some(due) = remind {
                follows = follows.and(TimerChange::set(REMIND, wave.id, "1/", wave.estate_id, due));
            }
            Ok((launched, follows))
        };
        self.change(call, target, decide, answer).await
    }

    /// Makes the next invitations, on the transaction of a timer.
    pub(crate) async fn invite_next(&self, tx: &mut PgConnection, wave: Uuid, after: &str, now: Timestamp) -> Result<Effects> {
        let Some(wave) = self.open_wave(tx, wave).await? else { return Ok(Effects::none()) };
        let after = if after.is_empty() { None } else { Some(Uuid::parse_str(after).map_err(Error::internal)?) };
        let invitations = insert_next(tx, &wave, after, BATCH, now).await?;
        let mut effects = Effects::none();
        effects.events = invitations
            .iter()
            .filter(|invitation| invitation.customer_id.is_some())
            .map(|invitation| publish::invitation_due(&wave, invitation, now))
            .collect();
        if let Some(last) = invitations.iter().map(|invitation| invitation.household_id.as_uuid()).max()
            && full(invitations.len())
        {
            effects.timers.push(TimerChange::set(INVITE, wave.id, last.to_string(), wave.estate_id, now));
        }
        Ok(effects)
    }

    /// Reminds the next of those that have not answered, on the transaction of a timer. Who answered meanwhile is not among them.
    pub(crate) async fn remind_next(&self, tx: &mut PgConnection, wave: Uuid, key: &str, now: Timestamp) -> Result<Effects> {
        let Some(wave) = self.open_wave(tx, wave).await? else { return Ok(Effects::none()) };
        let (number, after) = key.split_once('/').ok_or_else(|| Error::bug(format_args!("a reminder has the key {key}")))?;
        let number: u32 = number.parse().map_err(Error::internal)?;
        let after = if after.is_empty() { None } else { Some(Uuid::parse_str(after).map_err(Error::internal)?) };
        let rules = self.rules.of_wave(&wave).await?;
        let terms = rules.terms(&wave.programme_code);
        if number > terms.reminders {
            return Ok(Effects::none());
        }
        let invitations = take_for_reminder(tx, &wave, number, after, BATCH).await?;
        let mut effects = Effects::none();
        let channel = terms.reminder_channel(number);
        effects.events = invitations
            .iter()
            .filter(|invitation| invitation.customer_id.is_some())
            .map(|invitation| publish::reminder_due(&wave, invitation, number, channel, now))
            .collect();
        let last = invitations.iter().map(|invitation| invitation.id.as_uuid()).max();
        let estate: EstateId = wave.estate_id;
        if let Some(last) = last.filter(|_| full(invitations.len())) {
            effects.timers.push(TimerChange::set(REMIND, wave.id, format!("{number}/{last}"), estate, now));
        } else if number < terms.reminders
            && let Some(due) = rules.maybe_due(now, terms.reminder_after.as_ref())?
        {
            effects.timers.push(TimerChange::set(REMIND, wave.id, format!("{}/", number + 1), estate, due));
        }
        Ok(effects)
    }

    /// Closes a wave whose time is over, on the transaction of its timer. With too few valid responses it carries the flag (SV-01):
    /// nobody is there who could accept it with a reason.
    pub(crate) async fn close_by_due_time(&self, tx: &mut PgConnection, wave: Uuid, now: Timestamp) -> Result<Effects> {
        let Some(open) = self.open_wave(tx, wave).await? else { return Ok(Effects::none()) };
        let valid = load_numbers(&mut *tx, open.estate_id, open.id).await?.valid;
        self.change_by_timer(tx, wave, now, |wave: &Wave| {
            Ok(wave.close_by_due_time(valid, now).map(|closed| {
                let fact = publish::wave_closed(&closed, valid, true, now);
                (closed, Follows { events: vec![fact], timers: vec![TimerChange::cancel_all(wave.id)] })
            }))
        })
        .await
    }

    /// A wave that still takes answers; its row is locked by the timer.
    pub(super) async fn open_wave(&self, tx: &mut PgConnection, id: Uuid) -> Result<Option<Wave>> {
        let wave = Wave::load(tx, &self.cipher, &Scope::system("a wave's timer fired"), id).await?;
        Ok(Some(wave).filter(|wave| wave.state == WaveState::Launched))
    }
}

fn full(rows: usize) -> bool {
    i64::try_from(rows).is_ok_and(|rows| rows >= BATCH)
}
