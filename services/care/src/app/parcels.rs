//! Parcels that are kept for households (CA-62).

use jiff::Timestamp;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;
use uuid::Uuid;

use super::App;
use super::transact::{Call, Target, or_repeated};
use crate::domain::base::{Document, Stored, forbids};
use crate::domain::community_codes::{EnrolmentState, ParcelState};
use crate::domain::enrolment::Enrolment;
use crate::domain::ids::ParcelId;
use crate::domain::parcel::{Parcel, hand_out};
use crate::store::documents::{Place, Table};

/// A parcel that came.
#[derive(Debug)]
pub(crate) struct NewParcel {
    pub(crate) enrolment: Uuid,
    pub(crate) item_code: String,
    pub(crate) tracking_number: String,
    pub(crate) shelf_code: String,
}

impl App {
    /// Keeps a parcel, with the timer that tells when it has been kept for long enough. Two trips.
    pub(crate) async fn receive_parcel<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewParcel,
        answer: impl Fn(&Stored<Parcel>) -> R,
    ) -> Result<R> {
        let row = or_repeated!(self, call, self.enrolment(call.access, new.enrolment).await);
        if row.value.state == EnrolmentState::Ended {
            let refusal = forbids::<Enrolment, ()>("ENROLMENT_STATE_FORBIDS", row.id, row.value.state.as_str(), &[]);
            or_repeated!(self, call, refusal);
        }
        let Some(keep) = row.value.item(&new.item_code).and_then(|item| item.keep_within.as_ref()) else {
            let refusal = Error::invalid("item_code", "PACKAGE_ITEM_UNKNOWN", "must be an item of the enrolment that keeps parcels");
            return self.unless_repeated(call, refusal).await;
        };
        let now = self.clock.now();
        let parcel = Parcel {
            enrolment_id: row.id,
            household_id: row.value.household_id,
            customer_id: row.value.customer_id,
            tracking_number: new.tracking_number,
            shelf_code: new.shelf_code,
            state: ParcelState::Kept,
            receive_time: now,
            due_time: self.rules.of(row.estate_id, now).await?.due(now, keep)?,
            hand_out_time: None,
        };
        let stored = Stored::new(ParcelId::new(), row.estate_id, parcel.clone(), now);
        self.create(call, stored, parcel.kept(), None, now, answer).await
    }

    /// It was fetched. Two trips.
    pub(crate) async fn hand_out_parcel<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Parcel>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, now| hand_out(row, now), answer).await
    }

    /// One parcel. One trip.
    pub(crate) async fn parcel(&self, access: &Access, id: Uuid) -> Result<Stored<Parcel>> {
        self.load::<Parcel>(&access.scope, id).await?.ok_or_else(|| Error::not_found(Parcel::NOUN, id))
    }

    /// A page of an estate's parcels. One trip.
    pub(crate) async fn list_parcels(
        &self,
        access: &Access,
        estate: EstateId,
        states: &[String],
        page: &PageRequest<Place>,
    ) -> Result<Vec<Stored<Parcel>>> {
        Parcel::list(&mut *self.conn().await?, access.scope.estate(estate)?, states, page).await
    }

    /// It was to be fetched until now. Two trips.
    pub(crate) async fn lapse_parcel(&self, tx: &mut PgConnection, id: Uuid, now: Timestamp) -> Result<Effects> {
        self.settle::<Parcel>(tx, &[id], now, |row, _| Ok(row.value.lapse())).await
    }
}
