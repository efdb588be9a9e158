//! Obligations.

use prost::Message;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::App;
use super::transact::{Call, Target};
use crate::domain::base::{Change, Promise, Stored, TimerKind};
use crate::domain::ids::ObligationId;
use crate::domain::obligation::{self, Obligation};
use crate::store::documents::{Place, Table};

impl App {
    /// Creates one by hand. One trip.
    pub(crate) async fn create_obligation<R: Message + Default>(
        &self,
        call: &Call<'_>,
        estate: EstateId,
        new: Obligation,
        answer: impl Fn(&Stored<Obligation>) -> R,
    ) -> Result<R> {
        call.access.scope.estate(estate)?;
        let now = self.clock.now();
        if new.due_time < now {
            let refusal = Error::invalid("due_time", "TIME_NOT_PLAUSIBLE", "must not lie in the past");
            return self.unless_repeated(call, refusal).await;
        }
        let change = Change::to(new.clone()).promise(Promise::set(TimerKind::ObligationDue, new.due_time));
        self.create(call, Stored::new(ObligationId::new(), estate, new, now), change, None, now, answer).await
    }

    /// One obligation. One trip.
    pub(crate) async fn obligation(&self, access: &Access, id: Uuid) -> Result<Stored<Obligation>> {
        self.load::<Obligation>(&access.scope, id).await?.ok_or_else(|| Error::not_found("obligation", id))
    }

    /// A page of an estate's. One trip.
    pub(crate) async fn list_obligations(
        &self,
        access: &Access,
        estate: EstateId,
        states: &[String],
        page: &PageRequest<Place>,
    ) -> Result<Vec<Stored<Obligation>>> {
        self.all_opened(Obligation::list(&mut *self.conn().await?, access.scope.estate(estate)?, states, page).await?)
    }

    /// A line is done, or something was found. Two trips.
    pub(crate) async fn check_obligation_item<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        item: &str,
        proof: &str,
        finding: &str,
        answer: impl Fn(&Stored<Obligation>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, now| obligation::check(row, item, proof, finding, call.subject(), now), answer).await
    }

    /// It is done. Two trips.
    pub(crate) async fn complete_obligation<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Obligation>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, now| obligation::complete(row, now), answer).await
    }

    /// It is no longer owed. Two trips.
    pub(crate) async fn cancel_obligation<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Obligation>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, _| obligation::cancel(row), answer).await
    }
}
