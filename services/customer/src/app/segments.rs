//! Segments: saved, counted, explained, frozen.

use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId};
use steward_kit::predicate::{Finding, Seen, Truth};
use steward_kit::{Error, Result};
use steward_kit_store::idempotency::{REQUEST_ID_REUSED, is_replay};
use steward_kit_store::{Effects, StoreResult, store_error};
use uuid::Uuid;

use super::keep_facts::{local_date, one};
use super::{App, Call, Target};
use crate::contract::definition;
use crate::domain::facts::RowFacts;
use crate::domain::ids::{AudienceId, SegmentId};
use crate::domain::segment::{Definition, FrozenAudience, Segment, SegmentSubject};
use crate::store::frozen::{Entry, Where, count_chosen, find_audience, find_subject, group_zone, insert_audience, list_entries};
use crate::store::segments::{find_segment, insert_segment, list_segments, update_segment};

/// A segment to save.
#[derive(Debug, Clone)]
pub(crate) struct NewSegment {
    pub(crate) estate_id: Option<EstateId>,
    pub(crate) name: String,
    pub(crate) subject: SegmentSubject,
    pub(crate) definition: Vec<u8>,
}

/// What somebody is to a segment.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    Member(Finding),
    Excluded(String, Finding),
    NotMember(Finding),
}

/// Where a page of entries ended.
pub(crate) type EntryCursor = (Uuid, Uuid);

impl App {
    /// One trip.
    pub(crate) async fn create_segment<R: Message + Default>(&self, call: &Call<'_, Segment, R>, new: NewSegment) -> Result<R> {
        must_reach(call.access, new.estate_id)?;
        self.transact(call, "segment", None, || async {
            let now = self.clock.now();
            if let Some(estate) = new.estate_id {
                self.today_in(call.access, estate).await?;
            }
            let NewSegment { estate_id, name, subject, definition } = new.clone();
            let id = SegmentId::new();
            let segment = Segment { id, estate_id, name, subject, definition, row_version: 1, create_time: now, update_time: now };
            let answer = (call.answer)(&segment);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let written = insert_segment(self.db.pool(), &segment, &call.access.principal.subject, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    /// Two trips.
    pub(crate) async fn update_segment<R: Message + Default>(
        &self,
        call: &Call<'_, Segment, R>,
        target: Target<SegmentId>,
        name: &str,
        definition: &[u8],
    ) -> Result<R> {
        self.transact(call, "segment", target.etag, || async {
            let now = self.clock.now();
            let before = self.get_segment(call.access, target.id).await?;
            must_reach(call.access, before.estate_id)?;
            target.check("segment", before.row_version)?;
            let (name, definition) = (name.to_owned(), definition.to_vec());
            let after = Segment { name, definition, row_version: before.row_version + 1, update_time: now, ..before };
            let answer = (call.answer)(&after);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let written = update_segment(self.db.pool(), &after, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    pub(crate) async fn get_segment(&self, access: &Access, id: SegmentId) -> Result<Segment> {
        find_segment(self.db.pool(), &access.scope, id).await?.ok_or_else(|| Error::not_found("segment", id))
    }

    pub(crate) async fn list_segments(
        &self,
        access: &Access,
        estate: Option<EstateId>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Segment>> {
        if let Some(estate) = estate {
            access.scope.estate(estate)?;
        }
        list_segments(self.db.pool(), &access.scope, estate, before, limit).await
    }

    /// Two trips, and one more to settle the facts of an estate.
    pub(crate) async fn preview_segment(
        &self,
        access: &Access,
        estate: Option<EstateId>,
        subject: SegmentSubject,
        definition: &Definition,
    ) -> Result<(i64, Vec<(String, i64)>)> {
        let as_of = self.segment_day(access, estate).await?;
        let place = Where { scope: &access.scope, estate, subject, as_of };
        count_chosen(self.db.pool(), &place, definition).await
    }

    pub(crate) async fn explain_segment(
        &self,
        access: &Access,
        id: SegmentId,
        household: Option<HouseholdId>,
        customer: Option<CustomerId>,
    ) -> Result<Standing> {
        let segment = self.get_segment(access, id).await?;
        let as_of = self.segment_day(access, segment.estate_id).await?;
        let definition = stored_definition(&segment.definition)?;
        let household_id = household.map(HouseholdId::as_uuid);
        let customer_id = customer.map(CustomerId::as_uuid);
        let found = find_subject(self.db.pool(), &access.scope, segment.subject, household_id, customer_id, segment.estate_id).await?;
        let found = found.ok_or_else(|| match (household, customer) {
            (Some(household), _) => Error::not_found("household", household),
            (None, customer) => Error::not_found("customer", customer.map(|id| id.to_string()).unwrap_or_default()),
        })?;
        let facts = RowFacts(found);
        let finding = definition.predicate.evaluate(&facts, as_of);
        if !finding.holds() {
            return Ok(Standing::NotMember(finding));
        }
        let exclusions = definition.exclusions.iter().map(|(code, predicate)| (code, predicate.evaluate(&facts, as_of)));
        match exclusions.into_iter().find(|(_, finding)| finding.holds()) {
            Some((code, finding)) => Ok(Standing::Excluded(code.clone(), finding)),
            None => Ok(Standing::Member(finding)),
        }
    }

    /// The segment, its day, and one transaction of two statements: whom it chooses, and the claim.
    pub(crate) async fn take_audience<R: Message + Default>(
        &self,
        call: &Call<'_, FrozenAudience, R>,
        id: SegmentId,
        as_of: Option<Date>,
    ) -> Result<R> {
        self.transact(call, "audience", None, || async {
            let now = self.clock.now();
            let segment = self.get_segment(call.access, id).await?;
            must_reach(call.access, segment.estate_id)?;
            let today = self.segment_day(call.access, segment.estate_id).await?;
            let as_of_date = as_of.unwrap_or(today);
            let checked = stored_definition(&segment.definition)?;
            let audience = FrozenAudience {
                id: AudienceId::new(),
                segment_id: segment.id,
                estate_id: segment.estate_id,
                definition: segment.definition,
                as_of_date,
                member_count: 0,
                excluded_count: 0,
                digest: Vec::new(),
                create_time: now,
            };
            let place = Where { scope: &call.access.scope, estate: segment.estate_id, subject: segment.subject, as_of: as_of_date };
            let mut tx = self.db.begin().await?;
            let taken = insert_audience(&mut tx, &place, &checked, &audience, &call.access.principal.subject).await?;
            let answer = (call.answer)(&taken);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            match effects.try_write(&self.db, &mut tx, now).await {
                Ok(()) => {}
                Err(error) if is_replay(&error) => {
                    return Err(Error::already_exists("request", REQUEST_ID_REUSED, "this request_id was used before"));
                }
                Err(error) => return Err(store_error(error)),
            }
            tx.commit().await.store()?;
            Ok(Some(answer))
        })
        .await
    }

    pub(crate) async fn get_audience(&self, access: &Access, id: AudienceId) -> Result<FrozenAudience> {
        find_audience(self.db.pool(), &access.scope, id).await?.ok_or_else(|| Error::not_found("audience", id))
    }

    /// Entries with the reasons: what each condition came to was kept, and is weighed again as it was.
    pub(crate) async fn list_audience_entries(
        &self,
        access: &Access,
        id: AudienceId,
        excluded_only: bool,
        after: Option<&EntryCursor>,
        limit: i64,
    ) -> Result<Vec<(Entry, Finding)>> {
        let audience = self.get_audience(access, id).await?;
        let definition = stored_definition(&audience.definition)?;
        let entries = list_entries(self.db.pool(), &access.scope, id, excluded_only, after, limit).await?;
        Ok(entries.into_iter().map(|entry| explained(entry, &definition)).collect())
    }

    /// The day of an estate after its facts were settled; of the group the day where most estates are.
    async fn segment_day(&self, access: &Access, estate: Option<EstateId>) -> Result<Date> {
        match estate {
            Some(estate) => {
                let today = self.today_in(access, estate).await?;
                self.settle_facts(&one(estate)).await?;
                Ok(today)
            }
            None => local_date(&group_zone(self.db.pool()).await?, self.clock.now()),
        }
    }
}

/// What the whole group has, only those write who reach the whole group.
fn must_reach(access: &Access, estate: Option<EstateId>) -> Result<()> {
    match estate {
        Some(estate) => access.scope.estate(estate).map(drop),
        None if access.scope.estates().is_none() => Ok(()),
        None => Err(Error::invalid("estate_id", "ESTATE_REQUIRED", "must be given by whoever does not reach the whole group")),
    }
}

/// A definition of our own; one that no longer compiles is our fault.
fn stored_definition(encoded: &[u8]) -> Result<Definition> {
    let mut bad = Violations::new();
    definition(encoded, &mut bad).ok_or_else(|| Error::bug(format_args!("a stored definition does not compile: {bad}")))
}

fn explained(entry: Entry, definition: &Definition) -> (Entry, Finding) {
    let facts = |field: &str| {
        let fact_type = steward_kit::predicate::Catalogue::household().get(field)?.fact_type;
        steward_kit_store::predicate::fact_of_json(fact_type, &entry.facts[field])
    };
    let seen = definition.tests().into_iter().zip(&entry.truths).map(|(test, truth)| {
        let truth = Truth::of(*truth);
        let fact = match (test.field.is_personal, truth) {
            (true, Truth::True | Truth::False) => "recorded".to_owned(),
            (true, Truth::Unknown) => String::new(),
            (false, _) => test.shown(facts(&test.field.name).as_ref()),
        };
        Seen { truth, fact }
    });
    let seen: Vec<Seen> = seen.collect();
    let of_predicate = definition.predicate.tests().len();
    let finding = match &entry.exclusion {
        None => definition.predicate.combine(seen.get(..of_predicate).unwrap_or_default()),
        Some(code) => {
            let mut from = of_predicate;
            let mut finding = None;
            for (known, exclusion) in &definition.exclusions {
                let to = from + exclusion.tests().len();
                if known == code && finding.is_none() {
                    finding = Some(exclusion.combine(seen.get(from..to).unwrap_or_default())).filter(Finding::holds);
                }
                from = to;
            }
            finding.unwrap_or_else(|| Finding { truth: Truth::True, reasons: Vec::new() })
        }
    };
    (entry, finding)
}
