//! Invitations: opened, begun.

use jiff::Timestamp;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::auth::{Access, Scope};
use steward_kit::error::WrongState;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, TimerChange, constraint};
use steward_proto::survey::v1 as pb;
use uuid::Uuid;

use super::App;
use super::transact::{Call, Follows, TRIES, or_repeated};
use crate::domain::ids::{InvitationId, ResponseId, WaveId};
use crate::domain::{Invitation, Response, Wave};
use crate::store::invitations::{QUOTA_FULL, has_quota, load_invitation, release_place, save_opened, save_started};
use crate::store::records::Stored;
use crate::store::responses::load_response;

/// Kind of the timer that gives a place back which was held for a questionnaire that was begun. Its subject is the invitation.
pub(crate) const RELEASE_PLACE: &str = "release_place";

impl App {
    /// The wave of an invitation that the caller may see: a household's invitation shows it its wave.
    pub(crate) async fn wave_of(&self, invitation: &Invitation) -> Result<Wave> {
        let mut db = self.connection().await?;
        Wave::load(&mut db, &self.cipher, &Scope::system("the wave of an invitation in scope"), invitation.wave_id.as_uuid()).await
    }

    /// A wave that the caller answers: a resident reaches the waves of the estates they live in, though none is theirs.
    pub(crate) async fn wave_for_answer(&self, access: &Access, id: WaveId) -> Result<Wave> {
        let mut db = self.connection().await?;
        let wave = Wave::load(&mut db, &self.cipher, &Scope::system("a wave that is answered"), id.as_uuid()).await?;
        access.scope.estate(wave.estate_id).map_err(|_| Error::not_found("wave", id))?;
        Ok(wave)
    }

    /// What a wave asks. From memory.
    pub(crate) async fn content(&self, wave: &Wave) -> Result<pb::QuestionnaireContent> {
        Ok(self.frozen(wave.version_id).await?.content.clone())
    }

    /// One response within the caller's scope. One trip.
    pub(crate) async fn response(&self, access: &Access, id: ResponseId) -> Result<Response> {
        load_response(self.db.pool(), &self.cipher, &access.scope, id).await
    }

    /// Notes that a questionnaire was opened. Two trips.
    pub(crate) async fn open_invitation<A: Message + Default>(
        &self,
        call: &Call<'_>,
        id: InvitationId,
        answer: impl Fn(&Invitation) -> A,
    ) -> Result<A> {
        for _ in 0..TRIES {
            let before = or_repeated!(self, call, load_invitation(self.db.pool(), &call.access.scope, id).await);
            let now = self.clock.now();
            let opened = or_repeated!(self, call, before.open(now)).unwrap_or_else(|| before.clone());
            let response = answer(&Invitation { row_version: before.row_version + 1, ..opened.clone() });
            let effects = self.effects(call, &response, Follows::nothing());
            match save_opened(self.db.pool(), &opened, &effects, now).await {
                Ok(true) => return Ok(response),
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "invitation" }).await
    }

    /// Notes that a questionnaire was begun, and holds its place in the quota for a while (SV-37). Four trips.
    pub(crate) async fn start_response<A: Message + Default>(
        &self,
        call: &Call<'_>,
        id: InvitationId,
        answer: impl Fn(&Invitation, Option<Timestamp>) -> A,
    ) -> Result<A> {
        for _ in 0..TRIES {
            let before = or_repeated!(self, call, load_invitation(self.db.pool(), &call.access.scope, id).await);
            let wave = self.wave_of(&before).await?;
            or_repeated!(self, call, wave.must_be_open());
            let now = self.clock.now();
            let has_quota = has_quota(self.db.pool(), wave.estate_id.as_uuid(), wave.id, &before.stratum).await?;
            let started = or_repeated!(self, call, before.start(has_quota, now));
            let rules = self.rules.of_wave(&wave).await?;
            let hold = rules.maybe_due(now, rules.terms(&wave.programme_code).quota_hold.as_ref())?.filter(|_| has_quota);
            let response = answer(&Invitation { row_version: before.row_version + 1, ..started.clone() }, hold);
            let timers = hold.map(|due| TimerChange::set(RELEASE_PLACE, before.id, "", wave.estate_id, due));
            let follows = Follows { events: Vec::new(), timers: timers.into_iter().collect() };
            let effects = self.effects(call, &response, follows);
            let reserves = has_quota && !before.holds_place;
            match save_started(self.db.pool(), &started, reserves, &effects, now).await {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(response);
                }
                Ok(false) => {}
                Err(error) if constraint(&error) == Some(QUOTA_FULL) => {
                    let detail = "the cell has its answers, or every place is held";
                    let refusal = WrongState::new("QUOTA_FULL", format!("invitation {id}"), before.state.as_str(), [""; 0], detail);
                    return self.unless_repeated(call, refusal.into()).await;
                }
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "invitation" }).await
    }

    /// Gives a place back whose time is over, on the transaction of its timer.
    pub(crate) async fn release_place(&self, tx: &mut PgConnection, invitation: Uuid) -> Result<Effects> {
        release_place(tx, invitation).await?;
        Ok(Effects::none())
    }
}
