//! Timers that fire: which use case each kind is.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::timers::{FiredTimer, TimerHandler};
use steward_kit_store::{Effects, TimerChange};
use uuid::Uuid;

use crate::app::{App, Work, daily_timer, estate_of_key};
use crate::domain::base::TimerKind;
use crate::domain::enrolment::Enrolment;
use crate::domain::forum::Forum;
use crate::domain::obligation::Obligation;
use crate::domain::parcel::Parcel;
use crate::domain::round::Round;
use crate::domain::touchpoint::Touchpoint;
use crate::domain::visit::Visit;
use crate::store::documents::Table;

/// How long work that asks another service may take before its timer tries it again.
const LEASE: SignedDuration = SignedDuration::from_mins(2);

/// Every kind there is.
const KINDS: [TimerKind; 17] = [
    TimerKind::ProgrammePlan,
    TimerKind::TouchpointDue,
    TimerKind::TouchpointWindow,
    TimerKind::TouchpointConfirm,
    TimerKind::TouchpointVisited,
    TimerKind::ContactSettle,
    TimerKind::RoundPrepare,
    TimerKind::RoundDay,
    TimerKind::RoundReport,
    TimerKind::VisitNotice,
    TimerKind::VisitForm,
    TimerKind::ObligationDue,
    TimerKind::ForumMinutes,
    TimerKind::CalendarRecount,
    TimerKind::ActivityNotice,
    TimerKind::EnrolmentTerm,
    TimerKind::ParcelDue,
];

/// The handlers of the service, one for each kind of timer.
pub(super) fn handlers(app: &Arc<App>) -> Vec<Arc<dyn TimerHandler>> {
    KINDS.into_iter().map(|kind| Arc::new(Handler { app: app.clone(), kind }) as Arc<dyn TimerHandler>).collect()
}

struct Handler {
    app: Arc<App>,
    kind: TimerKind,
}

#[tonic::async_trait]
impl TimerHandler for Handler {
    fn kind(&self) -> &'static str {
        self.kind.as_str()
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        match self.kind {
            // These wake a worker, or read a row that never changes.
            TimerKind::ProgrammePlan
            | TimerKind::TouchpointDue
            | TimerKind::RoundPrepare
            | TimerKind::ContactSettle
            | TimerKind::CalendarRecount => Ok(()),
            TimerKind::TouchpointWindow | TimerKind::TouchpointConfirm | TimerKind::TouchpointVisited => {
                lock::<Touchpoint>(tx, subjects).await
            }
            TimerKind::RoundDay | TimerKind::RoundReport => lock::<Round>(tx, subjects).await,
            TimerKind::VisitNotice | TimerKind::VisitForm => lock::<Visit>(tx, subjects).await,
            TimerKind::ObligationDue => lock::<Obligation>(tx, subjects).await,
            TimerKind::ForumMinutes => lock::<Forum>(tx, subjects).await,
            TimerKind::EnrolmentTerm => lock::<Enrolment>(tx, subjects).await,
            TimerKind::ParcelDue => lock::<Parcel>(tx, subjects).await,
            TimerKind::ActivityNotice => crate::store::registrations::lock_noticing(tx, subjects).await,
        }
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        let (app, id) = (&self.app, timer.subject_id);
        match self.kind {
            TimerKind::ProgrammePlan => {
                let estate = estate_of_key(&timer.key).ok_or_else(|| Error::bug(format_args!("a planning has the key {}", timer.key)))?;
                app.wakes.add(Work::Plan(id, estate.as_uuid()));
                let lease_end = now.saturating_add(LEASE).map_err(Error::internal)?;
                Ok(Effects { timers: vec![daily_timer(id.into(), estate, lease_end)], ..Effects::none() })
            }
            // One that is no longer due has been done, or was moved and has a timer of its own: then there is nothing to try again.
            TimerKind::TouchpointDue => {
                if crate::store::touchpoints::is_waiting(tx, id, now).await? {
                    self.wake(timer, Work::Act, now)
                } else {
                    Ok(Effects::none())
                }
            }
            TimerKind::RoundPrepare => {
                app.wakes.add(Work::Round(id));
                // Until the round is prepared it is tried again; after that each day's end looks again anyway.
                if crate::store::visits::is_preparing(tx, id).await? { self.wake(timer, Work::Round(id), now) } else { Ok(Effects::none()) }
            }
            TimerKind::TouchpointWindow | TimerKind::TouchpointConfirm => app.lapse_touchpoint(tx, id, now).await,
            TimerKind::TouchpointVisited => app.settle_visited(tx, id, now).await,
            TimerKind::ContactSettle => app.settle_contact(tx, estate_of(timer)?, id, now).await,
            TimerKind::RoundDay => {
                app.wakes.add(Work::Round(id));
                app.end_round_day(tx, estate_of(timer)?, id, now).await
            }
            TimerKind::RoundReport => app.lapse_round_report(tx, id, now).await,
            TimerKind::VisitNotice => app.send_visit_notice(tx, id, now).await,
            TimerKind::VisitForm => app.lapse_visit_form(tx, id, now).await,
            TimerKind::ObligationDue => app.lapse_obligation(tx, id, now).await,
            TimerKind::ForumMinutes => app.lapse_forum_minutes(tx, id, now).await,
            TimerKind::EnrolmentTerm => app.end_enrolment_term(tx, id, now).await,
            TimerKind::ParcelDue => app.lapse_parcel(tx, id, now).await,
            TimerKind::ActivityNotice => app.give_notice(tx, id, now).await,
            TimerKind::CalendarRecount => self.wake(timer, Work::Recount(id), now),
        }
    }
}

impl Handler {
    /// Sets the timer again for the end of a lease and leaves the work to the worker, outside of this transaction. The work sets or
    /// cancels the timer as it ends; if this process dies, the timer finds it again.
    fn wake(&self, timer: &FiredTimer, work: Work, now: Timestamp) -> Result<Effects> {
        let lease_end = now.saturating_add(LEASE).map_err(Error::internal)?;
        self.app.wakes.add(work);
        let again = TimerChange::set(self.kind.as_str(), timer.subject_id, timer.key.clone(), timer.estate_id, lease_end);
        Ok(Effects { timers: vec![again], ..Effects::none() })
    }
}

async fn lock<T: Table>(tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
    T::lock(tx, subjects).await.map(drop)
}

fn estate_of(timer: &FiredTimer) -> Result<EstateId> {
    timer.estate_id.ok_or_else(|| Error::bug("a timer of an estate without one"))
}
