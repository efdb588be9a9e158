//! Homes that are handed over together (恭迎乔迁).

use jiff::Timestamp;
use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, UnitId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, NewEvent, constraint, store_error};
use steward_proto::care::v1 as pb;
use uuid::Uuid;

use super::App;
use super::dates::NewDate;
use super::transact::{Call, Target, is_missed, or_repeated};
use crate::domain::base::{Document, Stored, precondition};
use crate::domain::batch::{Batch, Figures, Slots, Unit, shift};
use crate::domain::ids::DeliveryBatchId;
use crate::store::batches::{Booking, CODE_TAKEN, book_slot, count_batch, free_slots, insert_batch, list_units, load_unit, save_unit};
use crate::store::documents::{Place, Table};

/// The date of the estate that a batch's first day is.
const BATCH_DATE: &str = "handover_batch";

/// A batch to create.
#[derive(Debug)]
pub(crate) struct NewBatch {
    pub(crate) estate: EstateId,
    pub(crate) code: String,
    pub(crate) from_date: Date,
    pub(crate) to_date: Date,
    pub(crate) units: Vec<UnitId>,
    pub(crate) delivery_items: Vec<String>,
    pub(crate) slots: Slots,
}

/// A home that was handed over.
#[derive(Clone, Debug)]
pub(crate) struct Handover {
    pub(crate) date: Date,
    pub(crate) is_first_visit: bool,
    pub(crate) items: Vec<String>,
}

impl App {
    /// Creates a batch with its homes; the countdown of the care policy begins (CA-23). Seven trips, in one transaction: batches are
    /// few.
    pub(crate) async fn create_delivery_batch<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewBatch,
        answer: impl Fn(&Stored<Batch>) -> R,
    ) -> Result<R> {
        call.access.scope.estate(new.estate)?;
        let now = self.clock.now();
        let rules = self.rules.of(new.estate, now).await?;
        let batch = Batch {
            code: new.code.clone(),
            from_date: new.from_date,
            to_date: new.to_date,
            enclosures: rules.terms.enclosures.clone(),
            delivery_items: new.delivery_items,
            slots: new.slots,
            unit_count: u32::try_from(new.units.len()).map_err(Error::internal)?,
        };
        let mut bad = Violations::new();
        batch.check(&mut bad);
        bad.finish()?;
        if let Some(answer) = self.repeated(call).await? {
            return Ok(answer);
        }
        let row = Stored::new(DeliveryBatchId::new(), new.estate, batch.clone(), now).with(batch, now);
        let response = answer(&row);
        let mut tx = self.db.begin().await?;
        let date = NewDate { kind: BATCH_DATE.to_owned(), subject: new.code, date: new.from_date, is_reached: false };
        let mut effects = match self.put_date(&mut tx, new.estate, &date, now).await {
            Ok(effects) => effects,
            Err(refusal) => {
                drop(tx);
                return self.unless_repeated(call, refusal).await;
            }
        };
        effects.claim = self.claim(call, &response);
        match insert_batch(&mut *tx, &row, &new.units, &effects, now).await {
            Ok(()) => {}
            Err(error) if constraint(&error) == Some(CODE_TAKEN) => {
                drop(tx);
                let refusal = Error::already_exists(Batch::NOUN, "BATCH_CODE_TAKEN", "the estate has a batch of this code");
                return self.unless_repeated(call, refusal).await;
            }
            Err(error) => {
                drop(tx);
                return self.failed(call, error).await;
            }
        }
        tx.commit().await.map_err(store_error)?;
        self.db.wake(&effects);
        Ok(response)
    }

    /// Moves a batch; the countdown follows (CA-23). Seven trips, in one transaction.
    pub(crate) async fn move_delivery_batch<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        from: Date,
        to: Date,
        answer: impl Fn(&Stored<Batch>) -> R,
    ) -> Result<R> {
        let before = Batch::load(&mut *self.conn().await?, &call.access.scope, target.id).await?;
        let Some(before) = before else { return self.unless_repeated(call, Error::not_found(Batch::NOUN, target.id)).await };
        if target.is_stale(before.row_version) {
            return self.unless_repeated(call, Error::Stale { resource: Batch::NOUN }).await;
        }
        let now = self.clock.now();
        let row = before.with(shift(&before, from, to)?.after, now);
        let response = answer(&row);
        let mut tx = self.db.begin().await?;
        let date = NewDate { kind: BATCH_DATE.to_owned(), subject: row.value.code.clone(), date: from, is_reached: false };
        let mut effects = match self.put_date(&mut tx, row.estate_id, &date, now).await {
            Ok(effects) => effects,
            Err(refusal) => {
                drop(tx);
                return self.unless_repeated(call, refusal).await;
            }
        };
        effects.claim = self.claim(call, &response);
        match Batch::write(&mut tx, std::slice::from_ref(&row), &effects, now).await {
            Ok(written) if written.len() == 1 => {}
            Ok(_) => {
                drop(tx);
                return self.unless_repeated(call, Error::Stale { resource: Batch::NOUN }).await;
            }
            Err(error) if is_missed(&error) => {
                drop(tx);
                return self.unless_repeated(call, Error::Stale { resource: Batch::NOUN }).await;
            }
            Err(error) => {
                drop(tx);
                return self.failed(call, error).await;
            }
        }
        tx.commit().await.map_err(store_error)?;
        self.db.wake(&effects);
        Ok(response)
    }

    /// A batch through the caller's scope. One trip.
    pub(crate) async fn batch(&self, access: &Access, id: Uuid) -> Result<Stored<Batch>> {
        Batch::load(&mut *self.conn().await?, &access.scope, id).await?.ok_or_else(|| Error::not_found(Batch::NOUN, id))
    }

    /// A batch and its figures. Two trips.
    pub(crate) async fn delivery_batch(&self, access: &Access, id: Uuid) -> Result<(Stored<Batch>, Figures)> {
        let row = self.batch(access, id).await?;
        let figures = count_batch(self.db.pool(), &row).await?;
        Ok((row, figures))
    }

    /// A page of an estate's batches. One trip.
    pub(crate) async fn list_delivery_batches(
        &self,
        access: &Access,
        estate: EstateId,
        page: &PageRequest<Place>,
    ) -> Result<Vec<Stored<Batch>>> {
        Batch::list(&mut *self.conn().await?, access.scope.estate(estate)?, &[], page).await
    }

    /// A page of a batch's homes. Two trips.
    pub(crate) async fn list_batch_units(
        &self,
        access: &Access,
        id: Uuid,
        without_notice: bool,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Unit>> {
        let row = self.batch(access, id).await?;
        list_units(self.db.pool(), row.estate_id, row.id, without_notice, after, limit).await
    }

    /// Records something of one home. Three trips: batch, home, write.
    async fn change_unit<R: Message + Default>(
        &self,
        call: &Call<'_>,
        batch: Uuid,
        unit: UnitId,
        decide: impl Fn(&Batch, Unit, Timestamp) -> Result<(Unit, Option<pb::UnitHandedOver>)>,
        answer: impl Fn(&Unit) -> R,
    ) -> Result<R> {
        let row = or_repeated!(self, call, self.batch(call.access, batch).await);
        let Some(before) = load_unit(self.db.pool(), row.estate_id, row.id, unit).await? else {
            return self.unless_repeated(call, Error::not_found("batch unit", unit)).await;
        };
        let now = self.clock.now();
        let (after, fact) = or_repeated!(self, call, decide(&row.value, before, now));
        let response = answer(&after);
        let fact =
            fact.map(|fact| pb::UnitHandedOver { delivery_batch_id: row.id.to_string(), estate_id: row.estate_id.to_string(), ..fact });
        let events = fact.map(|fact| NewEvent::new(row.estate_id, row.estate_id, now, &fact)).into_iter().collect();
        let effects = Effects { claim: self.claim(call, &response), events, timers: Vec::new() };
        match save_unit(self.db.pool(), row.estate_id, row.id, &after, &effects, now).await {
            Ok(()) => {
                self.db.wake(&effects);
                Ok(response)
            }
            Err(error) => self.failed(call, error).await,
        }
    }

    /// The notice was mailed, with what it must enclose (CA-25).
    pub(crate) async fn record_unit_notice<R: Message + Default>(
        &self,
        call: &Call<'_>,
        batch: Uuid,
        unit: UnitId,
        tracking: &str,
        enclosures: &[String],
        answer: impl Fn(&Unit) -> R,
    ) -> Result<R> {
        let decide = |batch: &Batch, unit: Unit, now| {
            let missing: Vec<&str> = batch.enclosures.iter().filter(|one| !enclosures.contains(one)).map(String::as_str).collect();
            if !missing.is_empty() {
                return Err(Error::invalid("enclosures", "ENCLOSURE_MISSING", format!("must also have {}", missing.join(", "))));
            }
            Ok((Unit { notice_time: Some(now), tracking_number: tracking.to_owned(), ..unit }, None))
        };
        self.change_unit(call, batch, unit, decide, answer).await
    }

    /// Defects of mock acceptance (CA-24).
    pub(crate) async fn record_mock_acceptance<R: Message + Default>(
        &self,
        call: &Call<'_>,
        batch: Uuid,
        unit: UnitId,
        defects: i32,
        answer: impl Fn(&Unit) -> R,
    ) -> Result<R> {
        self.change_unit(call, batch, unit, |_, unit, _| Ok((Unit { defect_count: defects, ..unit }, None)), answer).await
    }

    /// A home was handed over (CA-27, CA-89).
    pub(crate) async fn record_handover<R: Message + Default>(
        &self,
        call: &Call<'_>,
        batch: Uuid,
        unit: UnitId,
        handover: &Handover,
        answer: impl Fn(&Unit) -> R,
    ) -> Result<R> {
        let Handover { date, is_first_visit, items } = handover.clone();
        let row = or_repeated!(self, call, self.batch(call.access, batch).await);
        let today = self.rules.of(row.estate_id, self.clock.now()).await?.date(self.clock.now());
        let decide = |batch: &Batch, unit: Unit, _| {
            if date > today {
                return Err(Error::invalid("handover_date", "DATE_INVALID", "must not lie in the future"));
            }
            if let Some(item) = items.iter().find(|item| !batch.delivery_items.contains(item)) {
                return Err(Error::invalid("delivered_items", "BATCH_INVALID", format!("the batch lists no {item}")));
            }
            let fact = pb::UnitHandedOver { unit_id: unit.unit_id.to_string(), handover_date: date.to_string(), ..Default::default() };
            Ok((Unit { handover_date: Some(date), is_first_visit, delivered_items: items.clone(), ..unit }, Some(fact)))
        };
        self.change_unit(call, batch, unit, decide, answer).await
    }

    /// Books a slot; of a full one the next free ones are named (CA-26). Three trips.
    pub(crate) async fn book_handover_slot<R: Message + Default>(
        &self,
        call: &Call<'_>,
        batch: Uuid,
        unit: UnitId,
        slot: Timestamp,
        answer: impl Fn(&Unit) -> R,
    ) -> Result<R> {
        let row = or_repeated!(self, call, self.batch(call.access, batch).await);
        let now = self.clock.now();
        let rules = self.rules.of(row.estate_id, now).await?;
        let day = row.value.slots_of(rules.date(slot), &rules)?;
        if !day.contains(&slot) {
            let refusal = Error::invalid("slot_time", "SLOT_UNKNOWN", "must be the beginning of a slot of the batch");
            return self.unless_repeated(call, refusal).await;
        }
        let Some(before) = load_unit(self.db.pool(), row.estate_id, row.id, unit).await? else {
            return self.unless_repeated(call, Error::not_found("batch unit", unit)).await;
        };
        let response = answer(&Unit { slot_time: Some(slot), ..before });
        let effects = Effects { claim: self.claim(call, &response), ..Effects::none() };
        let capacity = row.value.slots.capacity;
        let booking = Booking { estate: row.estate_id, batch: row.id, unit, slot, capacity };
        match book_slot(self.db.pool(), &booking, &effects, now).await {
            Ok(true) => Ok(response),
            Ok(false) => {
                let free = free_slots(self.db.pool(), row.estate_id, row.id, &day, capacity).await?;
                let free: Vec<String> = free.iter().map(ToString::to_string).collect();
                let detail = if free.is_empty() { "no slot of this day is free".to_owned() } else { format!("free: {}", free.join(", ")) };
                let refusal = precondition("SLOT_FULL", format!("slot {slot}"), detail);
                self.unless_repeated(call, refusal.unwrap_or_else(|refusal| refusal)).await
            }
            Err(error) => self.failed(call, error).await,
        }
    }
}
