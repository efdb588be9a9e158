//! Timers that fire: which use case each kind is.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit_store::Effects;
use steward_kit_store::timers::{FiredTimer, TimerHandler};
use uuid::Uuid;

use crate::app::{APPEAL_END, App, CLOSE, COLLATE, FOLLOW_UP, INVITE, MEASURE_DUE, RELEASE_PLACE, REMIND, REMIND_ONE, VISIT_DUE};
use crate::store::records::{lock_feedback, lock_invitations, lock_mystery_visits, lock_plans, lock_waves};

/// What each kind of timer is about and does.
#[derive(Clone, Copy)]
enum Kind {
    Invite,
    Remind,
    RemindOne,
    Close,
    ReleasePlace,
    Collate,
    MeasureDue,
    FollowUp,
    VisitDue,
    AppealEnd,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Invite,
        Self::Remind,
        Self::RemindOne,
        Self::Close,
        Self::ReleasePlace,
        Self::Collate,
        Self::MeasureDue,
        Self::FollowUp,
        Self::VisitDue,
        Self::AppealEnd,
    ];
}

struct Handler {
    app: Arc<App>,
    kind: Kind,
}

/// The handlers of the service, one for each kind of timer.
pub(super) fn handlers(app: &Arc<App>) -> Vec<Arc<dyn TimerHandler>> {
    Kind::ALL.iter().map(|kind| Arc::new(Handler { app: app.clone(), kind: *kind }) as Arc<dyn TimerHandler>).collect()
}

#[tonic::async_trait]
impl TimerHandler for Handler {
    fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Invite => INVITE,
            Kind::Remind => REMIND,
            Kind::RemindOne => REMIND_ONE,
            Kind::Close => CLOSE,
            Kind::ReleasePlace => RELEASE_PLACE,
            Kind::Collate => COLLATE,
            Kind::MeasureDue => MEASURE_DUE,
            Kind::FollowUp => FOLLOW_UP,
            Kind::VisitDue => VISIT_DUE,
            Kind::AppealEnd => APPEAL_END,
        }
    }

    async fn lock(&self, tx: &mut PgConnection, subjects: &[Uuid]) -> Result<()> {
        match self.kind {
            Kind::Invite | Kind::Remind | Kind::Close => lock_waves(tx, subjects).await,
            Kind::ReleasePlace | Kind::RemindOne => lock_invitations(tx, subjects).await,
            Kind::Collate => lock_feedback(tx, subjects).await,
            Kind::MeasureDue | Kind::FollowUp => lock_plans(tx, subjects).await,
            Kind::VisitDue | Kind::AppealEnd => lock_mystery_visits(tx, subjects).await,
        }
    }

    async fn fire(&self, tx: &mut PgConnection, timer: &FiredTimer, now: Timestamp) -> Result<Effects> {
        let (app, subject, key) = (&self.app, timer.subject_id, timer.key.as_str());
        match self.kind {
            Kind::Invite => app.invite_next(tx, subject, key, now).await,
            Kind::Remind => app.remind_next(tx, subject, key, now).await,
            Kind::RemindOne => app.remind_one(tx, subject, key, now).await,
            Kind::Close => app.close_by_due_time(tx, subject, now).await,
            Kind::ReleasePlace => app.release_place(tx, subject).await,
            Kind::Collate => app.miss_collation(tx, subject, now).await,
            Kind::MeasureDue => app.miss_measure(tx, subject, key, now).await,
            Kind::FollowUp => app.end_follow_window(tx, subject, now).await,
            Kind::VisitDue => app.miss_mystery_visit(tx, subject, now).await,
            Kind::AppealEnd => app.end_appeal_window(tx, subject, now).await,
        }
    }
}
