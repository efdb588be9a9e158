//! What was used of an enrolment, counted against what is free (CA-63). What a use costs is decided by the statement that counts it, so a
//! claim holds the use's id alone: the use stands and never changes.

use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::is_replay;
use steward_kit_store::{Effects, store_error};
use uuid::Uuid;

use super::App;
use super::transact::Call;
use crate::domain::base::{Stored, forbids};
use crate::domain::community_codes::EnrolmentState;
use crate::domain::enrolment::Enrolment;
use crate::domain::ids::PackageUseId;
use crate::domain::service_package::Item;
use crate::events::community;
use crate::store::enrolments::{Use, count_use, list_uses, load_use};

/// A use to count.
#[derive(Debug)]
pub(crate) struct NewUse {
    pub(crate) enrolment: Uuid,
    pub(crate) item_code: String,
    pub(crate) quantity: i64,
    pub(crate) use_date: Date,
}

impl App {
    /// Counts a use. Two trips, however many ask at once; a third where it is refused or came before.
    pub(crate) async fn record_package_use<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewUse,
        answer: impl Fn(&Use) -> R + Sync,
        answered: impl Fn(&R) -> Option<Uuid> + Sync,
    ) -> Result<R> {
        let (row, item) = match self.may_use(call.access, &new).await {
            Ok(found) => found,
            Err(refusal) => return self.used_before(call, refusal, &answer, &answered).await,
        };
        let now = self.clock.now();
        let blank = Use {
            id: PackageUseId::new().as_uuid(),
            enrolment_id: row.id,
            estate_id: row.estate_id,
            item_code: new.item_code,
            use_date: new.use_date,
            quantity: new.quantity,
            free_quantity: 0,
            charge_cents: 0,
            month_quantity: 0,
            create_time: now,
        };
        let free = Effects { claim: self.claim(call, &answer(&blank)), ..Effects::none() };
        let charged = Effects { events: vec![community::charged(&row, blank.id, &item.code, now)], ..free.clone() };
        match count_use(self.db.pool(), &blank, &item, &free, &charged, now).await {
            Ok(counted) => {
                self.db.wake(&charged);
                Ok(answer(&counted))
            }
            Err(error) if is_replay(&error) => self.used_before(call, store_error(error), &answer, &answered).await,
            Err(error) => Err(store_error(error)),
        }
    }

    /// The enrolment and its item, if it may be used then.
    async fn may_use(&self, access: &Access, new: &NewUse) -> Result<(Stored<Enrolment>, Item)> {
        let row = self.enrolment(access, new.enrolment).await?;
        if row.value.state == EnrolmentState::Ended {
            return forbids::<Enrolment, _>("ENROLMENT_STATE_FORBIDS", row.id, row.value.state.as_str(), &[]);
        }
        let Some(item) = row.value.item(&new.item_code).filter(|item| item.is_counted()).cloned() else {
            return Err(Error::invalid("item_code", "PACKAGE_ITEM_UNKNOWN", "must be an item of the enrolment whose use is counted"));
        };
        if !row.value.covers(new.use_date) {
            return Err(Error::invalid("use_date", "DATE_INVALID", "must be a day of the enrolment"));
        }
        let now = self.clock.now();
        let rules = self.rules.of(row.estate_id, now).await?;
        if let Some(earliest) = rules.due_if(now, item.booking_lead.as_ref())?
            && rules.end_of(new.use_date)? <= earliest
        {
            return Err(Error::invalid("use_date", "BOOKING_TOO_LATE", format!("can be booked from {} on", rules.date(earliest))));
        }
        Ok((row, item))
    }

    /// The use that the request counted, if it came before; else the refusal. Two trips.
    async fn used_before<R: Message + Default>(
        &self,
        call: &Call<'_>,
        refusal: Error,
        answer: &(impl Fn(&Use) -> R + Sync),
        answered: &(impl Fn(&R) -> Option<Uuid> + Sync),
    ) -> Result<R> {
        let Some(id) = self.repeated::<R>(call).await?.and_then(|stored| answered(&stored)) else { return Err(refusal) };
        let found = load_use(self.db.pool(), &call.access.scope, id).await?;
        Ok(answer(&found.ok_or(refusal)?))
    }

    /// A page of an enrolment's uses. Two trips.
    pub(crate) async fn list_package_uses(&self, access: &Access, enrolment: Uuid, page: &PageRequest<Uuid>) -> Result<Vec<Use>> {
        let row = self.enrolment(access, enrolment).await?;
        list_uses(self.db.pool(), &row, page).await
    }
}
