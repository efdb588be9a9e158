//! An order as rows and as the aggregate.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use steward_kit::crypto::FieldCipher;
use steward_kit::ids::{EstateId, WorkOrderId};
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::save::Change;
use super::texts::{Column, open_texts, seal_texts};
use crate::domain::{
    Assessment, Callback, CallbackForm, CaseFacts, CausedBy, Channel, Clock, CloseCode, CompletionProof, Contact, Dispatch, FieldWork,
    HistoryEntry, Kind, Liable, Lineage, Major, MediaRef, Origin, Reached, State, Suspension, Terms, Urgency, WorkOrder,
};

/// What of an order stands in the column `memory`: all that no query asks for.
#[derive(Serialize, Deserialize)]
pub(super) struct Memory<'a> {
    media: Cow<'a, [MediaRef]>,
    workers: Cow<'a, [String]>,
    urge_escalated: bool,
    auto_close_time: Option<jiff::Timestamp>,
    suspensions: Cow<'a, [Suspension]>,
    contacts: Cow<'a, [Contact]>,
    assessments: Cow<'a, [Assessment]>,
    callbacks: Cow<'a, [Callback]>,
    proofs: Cow<'a, [CompletionProof]>,
    milestones: Cow<'a, [Reached]>,
    terms: Cow<'a, Terms>,
    #[serde(default)]
    major: Cow<'a, Major>,
    #[serde(default)]
    convert_time: Option<jiff::Timestamp>,
    #[serde(default)]
    cancel_time: Option<jiff::Timestamp>,
    #[serde(default)]
    accused: Cow<'a, [String]>,
    #[serde(default)]
    caused_by: Cow<'a, Option<CausedBy>>,
    #[serde(default)]
    origin: Cow<'a, Option<Origin>>,
    #[serde(default)]
    field: Cow<'a, FieldWork>,
    #[serde(default)]
    lineage: Cow<'a, Lineage>,
    #[serde(default)]
    liable: Cow<'a, Option<Liable>>,
    #[serde(default)]
    dispatch: Cow<'a, Dispatch>,
    #[serde(default)]
    callback_form: Option<CallbackForm>,
}

impl<'a> Memory<'a> {
    pub(super) fn of(order: &'a WorkOrder) -> Self {
        Self {
            media: (&order.media).into(),
            workers: (&order.workers).into(),
            urge_escalated: order.urge_escalated,
            auto_close_time: order.auto_close_time,
            suspensions: (&order.suspensions).into(),
            contacts: (&order.contacts).into(),
            assessments: (&order.assessments).into(),
            callbacks: (&order.callbacks).into(),
            proofs: (&order.proofs).into(),
            milestones: (&order.milestones).into(),
            terms: Cow::Borrowed(&order.terms),
            major: Cow::Borrowed(&order.major),
            convert_time: order.convert_time,
            cancel_time: order.cancel_time,
            accused: (&order.accused).into(),
            caused_by: Cow::Borrowed(&order.caused_by),
            origin: Cow::Borrowed(&order.origin),
            field: Cow::Borrowed(&order.field),
            lineage: Cow::Borrowed(&order.lineage),
            liable: Cow::Borrowed(&order.liable),
            dispatch: Cow::Borrowed(&order.dispatch),
            callback_form: order.callback_form,
        }
    }
}

/// A row of `work_orders` with the order's clocks, as every query of this module selects it.
pub(super) struct OrderRow {
    pub(super) estate_id: Uuid,
    pub(super) id: Uuid,
    pub(super) number: String,
    pub(super) state: String,
    pub(super) unit_id: Option<Uuid>,
    pub(super) customer_id: Option<Uuid>,
    pub(super) kind: String,
    pub(super) category: String,
    pub(super) urgency: String,
    pub(super) classified_by: String,
    pub(super) channel: String,
    pub(super) description: Vec<u8>,
    pub(super) location: Vec<u8>,
    pub(super) assignee: Option<String>,
    pub(super) first_receiver: Option<String>,
    pub(super) occur_time: jiff_sqlx::Timestamp,
    pub(super) receive_time: jiff_sqlx::Timestamp,
    pub(super) cycle: i32,
    pub(super) urge_count: i32,
    pub(super) promise_time: Option<jiff_sqlx::Timestamp>,
    pub(super) close_code: Option<String>,
    pub(super) memory: Json<Memory<'static>>,
    pub(super) texts: Vec<u8>,
    pub(super) history_position: i32,
    pub(super) history_hash: Vec<u8>,
    pub(super) update_time: jiff_sqlx::Timestamp,
    pub(super) row_version: i64,
    pub(super) clocks: Json<Vec<Clock>>,
    pub(super) delivery_date: Option<jiff_sqlx::Date>,
}

impl OrderRow {
    /// The aggregate, its texts opened.
    pub(super) fn into_order(self, cipher: &FieldCipher) -> Result<WorkOrder> {
        let id = self.id.into();
        let Json(memory) = self.memory;
        let mut order = WorkOrder {
            id,
            number: self.number,
            estate_id: self.estate_id.into(),
            unit_id: self.unit_id.map(Into::into),
            customer_id: self.customer_id.map(Into::into),
            kind: code(Kind::parse, &self.kind)?,
            category: self.category,
            urgency: code(Urgency::parse, &self.urgency)?,
            classified_by: self.classified_by,
            channel: code(Channel::parse, &self.channel)?,
            description: Column::Description.open(cipher, id, &self.description)?,
            location: Column::Location.open(cipher, id, &self.location)?,
            media: memory.media.into_owned(),
            assignee: self.assignee,
            workers: memory.workers.into_owned(),
            first_receiver: self.first_receiver,
            occur_time: self.occur_time.to_jiff(),
            receive_time: self.receive_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
            cycle: count(self.cycle)?,
            urge_count: count(self.urge_count)?,
            urge_escalated: memory.urge_escalated,
            promise_time: self.promise_time.map(jiff_sqlx::Timestamp::to_jiff),
            convert_time: memory.convert_time,
            cancel_time: memory.cancel_time,
            accused: memory.accused.into_owned(),
            caused_by: memory.caused_by.into_owned(),
            origin: memory.origin.into_owned(),
            auto_close_time: memory.auto_close_time,
            state: code(State::parse, &self.state)?,
            suspensions: memory.suspensions.into_owned(),
            close_code: self.close_code.as_deref().map(|text| code(CloseCode::parse, text)).transpose()?,
            contacts: memory.contacts.into_owned(),
            assessments: memory.assessments.into_owned(),
            callbacks: memory.callbacks.into_owned(),
            callback_form: memory.callback_form,
            proofs: memory.proofs.into_owned(),
            milestones: memory.milestones.into_owned(),
            clocks: self.clocks.0,
            terms: memory.terms.into_owned(),
            major: memory.major.into_owned(),
            field: memory.field.into_owned(),
            lineage: memory.lineage.into_owned(),
            liable: memory.liable.into_owned(),
            delivery_date: self.delivery_date.map(jiff_sqlx::Date::to_jiff),
            dispatch: memory.dispatch.into_owned(),
            history_position: count(self.history_position)?,
            history_hash: hash(&self.history_hash)?,
            row_version: self.row_version,
        };
        open_texts(cipher, &mut order, &self.texts)?;
        Ok(order)
    }
}

/// The columns of `work_orders` that a change may write, on their way in, and the version that they were decided on.
#[derive(Serialize)]
pub(super) struct ChangedRow<'a> {
    estate_id: EstateId,
    id: WorkOrderId,
    row_version: i64,
    state: &'static str,
    kind: &'static str,
    category: &'a str,
    urgency: &'static str,
    classified_by: &'a str,
    assignee: Option<&'a str>,
    offered_to: Option<&'a str>,
    first_receiver: Option<&'a str>,
    cycle: u32,
    urge_count: u32,
    promise_time: Option<jiff::Timestamp>,
    close_code: Option<&'static str>,
    call_due_time: Option<jiff::Timestamp>,
    memory: Memory<'a>,
    texts: String,
    history_position: u32,
    history_hash: String,
    update_time: jiff::Timestamp,
}

impl<'a> ChangedRow<'a> {
    pub(super) fn of(cipher: &FieldCipher, change: &Change<'a>) -> Result<Self> {
        let order = &change.transition.order;
        Ok(Self {
            estate_id: change.before.estate_id,
            id: change.before.id,
            row_version: change.before.row_version,
            state: order.state.as_str(),
            kind: order.kind.as_str(),
            category: &order.category,
            urgency: order.urgency.as_str(),
            classified_by: &order.classified_by,
            assignee: order.assignee.as_deref(),
            offered_to: order.dispatch.offer.as_ref().map(|offer| offer.to.as_str()),
            first_receiver: order.first_receiver.as_deref(),
            cycle: order.cycle,
            urge_count: order.urge_count,
            promise_time: order.promise_time,
            close_code: order.close_code.map(|code| code.as_str()),
            call_due_time: order.call_due_time(),
            memory: Memory::of(order),
            texts: hex::encode(seal_texts(cipher, order)?),
            history_position: order.history_position,
            history_hash: hex::encode(order.history_hash),
            update_time: order.update_time,
        })
    }
}

/// One of the roster who became accountable, with how often they had been before.
#[derive(Serialize)]
pub(super) struct TakeRow<'a> {
    estate_id: EstateId,
    principal: &'a str,
    takes: i64,
}

impl<'a> TakeRow<'a> {
    pub(super) fn of(change: &Change<'a>) -> Option<Self> {
        let take = change.transition.take.as_ref()?;
        Some(Self { estate_id: change.before.estate_id, principal: &take.principal, takes: take.takes })
    }
}

/// A row of a table that hangs on orders, among those of several.
#[derive(Serialize)]
pub(super) struct OfOrder<T> {
    work_order_id: WorkOrderId,
    #[serde(flatten)]
    row: T,
}

impl<T> OfOrder<T> {
    pub(super) fn new(work_order_id: WorkOrderId, row: T) -> Self {
        Self { work_order_id, row }
    }
}

/// A row of `clocks`, on its way in.
#[derive(Serialize)]
pub(super) struct ClockRow<'a> {
    cycle: u32,
    name: &'a str,
    generation: u32,
    place: usize,
    state: &'static str,
    start_time: jiff::Timestamp,
    due_time: Option<jiff::Timestamp>,
    stop_time: Option<jiff::Timestamp>,
    verdict: Option<&'static str>,
    provisional: bool,
    clock: &'a Clock,
}

/// The clocks of `after` that `before` does not have as they are.
pub(super) fn changed_clocks<'a>(before: &'a [Clock], after: &'a [Clock]) -> impl Iterator<Item = ClockRow<'a>> {
    let changed = after.iter().enumerate().filter(|(place, clock)| before.get(*place) != Some(*clock));
    changed.map(|(place, clock)| ClockRow {
        cycle: clock.cycle,
        name: &clock.name,
        generation: clock.generation,
        place,
        state: clock.state.as_str(),
        start_time: clock.start_time,
        due_time: clock.due_time,
        stop_time: clock.stop_time,
        verdict: clock.verdict.map(|verdict| verdict.as_str()),
        provisional: clock.is_provisional(),
        clock,
    })
}

/// The facts of `after` that `before` does not have as they are.
pub(super) fn changed_facts(before: &[CaseFacts], after: Vec<CaseFacts>) -> impl Iterator<Item = CaseFacts> {
    after.into_iter().enumerate().filter(|(place, facts)| before.get(*place) != Some(facts)).map(|(_, facts)| facts)
}

/// A row of `history`, on its way in.
#[derive(Serialize)]
pub(super) struct EntryRow<'a> {
    position: u32,
    action: &'static str,
    state: &'static str,
    actor_kind: &'static str,
    actor_subject: &'a str,
    occur_time: jiff::Timestamp,
    record_time: jiff::Timestamp,
    detail: &'a std::collections::BTreeMap<String, String>,
    hash: String,
}

pub(super) fn new_entries(entries: &[HistoryEntry]) -> impl Iterator<Item = EntryRow<'_>> {
    entries.iter().map(|entry| EntryRow {
        position: entry.position,
        action: entry.action.as_str(),
        state: entry.state.as_str(),
        actor_kind: entry.actor.kind.as_str(),
        actor_subject: &entry.actor.subject,
        occur_time: entry.occur_time,
        record_time: entry.record_time,
        detail: &entry.detail,
        hash: hex::encode(entry.hash),
    })
}

/// A text of our own column, which its CHECK lets be nothing else.
pub(super) fn code<T>(parse: impl FnOnce(&str) -> Option<T>, text: &str) -> Result<T> {
    parse(text).ok_or_else(|| Error::bug(format_args!("a column holds the unknown code `{text}`")))
}

/// A number that is never negative in the domain.
pub(super) fn count(value: i32) -> Result<u32> {
    u32::try_from(value).map_err(Error::internal)
}

/// A number on its way into a column.
pub(super) fn column(value: u32) -> Result<i32> {
    i32::try_from(value).map_err(Error::internal)
}

pub(super) fn hash(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(Error::internal)
}
