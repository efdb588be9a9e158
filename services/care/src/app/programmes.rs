//! Programmes: written, published, ended, previewed, reported, evaluated.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, NewEvent, constraint};
use steward_proto::care::v1 as pb;
use uuid::Uuid;

use super::App;
use super::audience::Question;
use super::plan_timers::plan_timer;
use super::transact::{Call, TRIES, Target, or_repeated};
use crate::contract::{document, draft};
use crate::domain::base::forbids;
use crate::domain::codes::ProgrammeState;
use crate::domain::draw::is_held_out;
use crate::domain::ids::{PlanItemId, ProgrammeId};
use crate::domain::lift::Evaluation;
use crate::domain::occurrence::next;
use crate::domain::programme::{Anchor, Programme};
use crate::store::evaluations::{StoredEvaluation, insert_evaluation, list_evaluations};
use crate::store::programmes::{VERSION_TAKEN, has_plan_item, insert_programme, load_programme, load_published, next_version, save_states};
use crate::store::touchpoints::{Counts, count_programme, midnight};

/// A programme to write.
#[derive(Debug)]
pub(crate) struct NewProgramme {
    pub(crate) code: String,
    pub(crate) estate: Option<EstateId>,
    pub(crate) document: pb::ProgrammeDocument,
    pub(crate) plan_item: Option<PlanItemId>,
}

/// Whom a touchpoint would reach.
#[derive(Debug, Default)]
pub(crate) struct Preview {
    pub(crate) members: i64,
    pub(crate) held_out: i64,
    pub(crate) excluded: BTreeMap<String, i64>,
    pub(crate) next_due: Option<Date>,
}

/// What a programme did.
#[derive(Debug)]
pub(crate) struct ProgrammeReport {
    pub(crate) programme: Programme,
    pub(crate) counts: Counts,
    pub(crate) evaluations: Vec<StoredEvaluation>,
}

impl App {
    /// An item of an approved plan, if one is named.
    pub(super) async fn known_item(&self, estate: Option<EstateId>, item: Option<PlanItemId>) -> Result<()> {
        let Some(item) = item else { return Ok(()) };
        let is_known = match estate {
            Some(estate) => has_plan_item(self.db.pool(), estate, item.as_uuid()).await?,
            None => false,
        };
        if is_known { Ok(()) } else { Err(Error::not_found("plan item", item)) }
    }

    /// Writes a draft. Two trips, and one for the item of a plan.
    pub(crate) async fn create_programme<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewProgramme,
        answer: impl Fn(&Programme) -> R,
    ) -> Result<R> {
        match new.estate {
            Some(estate) => drop(call.access.scope.estate(estate)?),
            // What holds for every estate is for those who reach them all.
            None if call.access.scope.estates().is_some() => return Err(call.access.deny("programme.create")),
            None => {}
        }
        let mut bad = Violations::new();
        let read = document(&new.document, "document", &mut bad);
        let read = bad.build(|| read)?;
        or_repeated!(self, call, self.known_item(new.estate, new.plan_item).await);
        let encoded = new.document.encode_to_vec();
        let mut content_hash = [0; 32];
        content_hash.copy_from_slice(digest(&SHA256, &encoded).as_ref());
        for _ in 0..TRIES {
            let now = self.clock.now();
            let programme = Programme {
                id: ProgrammeId::new(),
                estate_id: new.estate,
                code: new.code.clone(),
                version: next_version(self.db.pool(), new.estate, &new.code).await?,
                state: ProgrammeState::Draft,
                document: read.clone(),
                encoded: encoded.clone(),
                content_hash,
                plan_item_id: new.plan_item,
                author: call.actor(),
                publisher: None,
                create_time: now,
                publish_time: None,
                retire_time: None,
                row_version: 1,
            };
            let response = answer(&programme);
            let effects = Effects { claim: self.claim(call, &response), ..Effects::none() };
            match insert_programme(self.db.pool(), &programme, &effects, now).await {
                Ok(()) => return Ok(response),
                // Somebody wrote the same version number at once.
                Err(error) if constraint(&error) == Some(VERSION_TAKEN) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "programme" }).await
    }

    /// The document that an estate's care policy amounts to. No trip: policies are in memory.
    pub(crate) async fn draft_programme(&self, access: &Access, estate: EstateId) -> Result<pb::ProgrammeDocument> {
        access.scope.estate(estate)?;
        Ok(draft(&self.rules.layers(estate, self.clock.now()).await?))
    }

    /// Publishes a draft. Three trips, and one question to customer for each touchpoint.
    pub(crate) async fn publish_programme<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Programme) -> R,
    ) -> Result<R> {
        for _ in 0..TRIES {
            let before = or_repeated!(self, call, self.programme(call.access, target.id.into()).await);
            if target.is_stale(before.row_version) {
                break;
            }
            if before.state != ProgrammeState::Draft {
                return self.unless_repeated(call, self.state_forbids(&before)).await;
            }
            let estates = self.estates_of(&before).await?;
            or_repeated!(self, call, self.check_audiences(&before, &estates).await);
            let now = self.clock.now();
            let superseded = load_published(self.db.pool(), before.estate_id, &before.code).await?;
            let after = Programme {
                state: ProgrammeState::Published,
                publisher: Some(call.actor()),
                publish_time: Some(now),
                row_version: before.row_version + 1,
                ..before.clone()
            };
            let retired = superseded.map(|old| Programme { state: ProgrammeState::Retired, retire_time: Some(now), ..old });
            let response = answer(&after);
            let published = pb::ProgrammePublished {
                programme_id: after.id.to_string(),
                code: after.code.clone(),
                version: after.version,
                estate_id: after.estate_id.map(|id| id.to_string()).unwrap_or_default(),
            };
            let mut effects = Effects {
                claim: self.claim(call, &response),
                events: vec![NewEvent::new(after.id, after.estate_id, now, &published)],
                timers: Vec::new(),
            };
            for estate in &estates {
                effects.timers.push(plan_timer(after.id, *estate, now));
                effects.timers.extend(retired.iter().map(|old| plan_timer(old.id, *estate, now)));
            }
            if let Some(old) = &retired {
                effects.events.push(retired_event(old, now));
            }
            // The one that goes is written before the one that comes, or two would be published at once.
            let written = Programme { row_version: before.row_version, ..after.clone() };
            let all: Vec<&Programme> = retired.iter().chain([&written]).collect();
            match save_states(self.db.pool(), &all, &effects, now).await {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(response);
                }
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "programme" }).await
    }

    /// Ends a programme. Two trips.
    pub(crate) async fn retire_programme<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Programme) -> R,
    ) -> Result<R> {
        for _ in 0..TRIES {
            let before = or_repeated!(self, call, self.programme(call.access, target.id.into()).await);
            if target.is_stale(before.row_version) {
                break;
            }
            if before.state != ProgrammeState::Published {
                return self.unless_repeated(call, self.state_forbids(&before)).await;
            }
            let now = self.clock.now();
            let after = Programme { state: ProgrammeState::Retired, retire_time: Some(now), ..before.clone() };
            let response = answer(&Programme { row_version: before.row_version + 1, ..after.clone() });
            let timers = self.estates_of(&before).await?.into_iter().map(|estate| plan_timer(before.id, estate, now)).collect();
            let effects = Effects { claim: self.claim(call, &response), events: vec![retired_event(&after, now)], timers };
            match save_states(self.db.pool(), &[&after], &effects, now).await {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(response);
                }
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "programme" }).await
    }

    /// A version through the caller's scope. One trip.
    pub(crate) async fn programme(&self, access: &Access, id: ProgrammeId) -> Result<Programme> {
        load_programme(self.db.pool(), &access.scope, id).await?.ok_or_else(|| Error::not_found("programme", id))
    }

    /// The estates that a programme is planned in.
    async fn estates_of(&self, programme: &Programme) -> Result<Vec<EstateId>> {
        match programme.estate_id {
            Some(estate) => Ok(vec![estate]),
            None => Ok(self.rules.estates.all().await?.iter().map(|estate| estate.id).collect()),
        }
    }

    fn state_forbids(&self, programme: &Programme) -> Error {
        let allowed: &[&'static str] = match programme.state {
            ProgrammeState::Draft => &["PublishProgramme"],
            ProgrammeState::Published => &["RetireProgramme"],
            ProgrammeState::Retired => &[],
        };
        let refusal: Result<()> = forbids::<crate::domain::touchpoint::Touchpoint, _>(
            "PROGRAMME_STATE_FORBIDS",
            programme.id.as_uuid(),
            programme.state.as_str(),
            allowed,
        );
        refusal.err().unwrap_or_else(|| Error::bug("a refusal that is none"))
    }

    /// Each audience must have a household, in one of the estates.
    async fn check_audiences(&self, programme: &Programme, estates: &[EstateId]) -> Result<()> {
        let mut bad = Violations::new();
        for (at, definition) in programme.document.definitions.iter().enumerate() {
            let Some(condition) = &definition.audience else { continue };
            let mut is_empty = true;
            for estate in estates {
                let question = Question { estate: *estate, condition: Some(condition), building: None, exclusions: &[], fields: &[] };
                if self.audience.any(&question).await? {
                    is_empty = false;
                    break;
                }
            }
            if is_empty {
                bad.add(format!("document.touchpoints[{at}].audience"), "AUDIENCE_EMPTY", "no household is in this audience");
            }
        }
        bad.finish()
    }

    /// Whom a touchpoint would reach today. One trip, and as many questions to customer as the audience has pages.
    pub(crate) async fn preview_programme(&self, access: &Access, id: ProgrammeId, estate: EstateId, code: &str) -> Result<Preview> {
        access.scope.estate(estate)?;
        let programme = self.programme(access, id).await?;
        let definition = programme.definition(code).ok_or_else(|| Error::not_found("definition", code))?;
        let (condition, exclusions) = (definition.audience.as_ref(), definition.exclusions.as_slice());
        let members = self.audience.members(&Question { estate, condition, building: None, exclusions, fields: &[] }).await?;
        let mut preview = Preview::default();
        for member in &members {
            match &member.excluded {
                Some(code) => *preview.excluded.entry(code.clone()).or_default() += 1,
                None => {
                    preview.members += 1;
                    let holdout = programme.document.holdout.as_ref();
                    preview.held_out += i64::from(holdout.is_some_and(|(percent, seed)| is_held_out(*percent, seed, member.household)));
                }
            }
        }
        let rules = self.rules.of(estate, self.clock.now()).await?;
        let today = rules.date(self.clock.now());
        preview.next_due = match definition.anchor {
            // These fall on another day for each household.
            Anchor::Fact(_) | Anchor::KeyDate(_) | Anchor::EstateDate(_) => None,
            Anchor::Solar(..) | Anchor::Lunar(..) | Anchor::Festival(_) | Anchor::Recurrence(_) => {
                next(definition, None, today, programme.document.to_date, &rules)?.map(|occurrence| occurrence.due_date)
            }
        };
        Ok(preview)
    }

    /// What a programme did in an estate. Three trips.
    pub(crate) async fn report_programme(
        &self,
        access: &Access,
        id: ProgrammeId,
        estate: EstateId,
        from: Date,
        to: Date,
    ) -> Result<ProgrammeReport> {
        let estate = access.scope.estate(estate)?;
        let programme = self.programme(access, id).await?;
        let zone = self.rules.estates.get(estate.id()).await?.zone()?;
        let (from, to) = (midnight(from, &zone)?, midnight(to.tomorrow().map_err(Error::internal)?, &zone)?);
        let counts = count_programme(self.db.pool(), estate, id, from, to).await?;
        let evaluations = list_evaluations(self.db.pool(), estate, id).await?;
        Ok(ProgrammeReport { programme, counts, evaluations })
    }

    /// Records a measured effect. Two trips.
    pub(crate) async fn record_evaluation<R: Message + Default>(
        &self,
        call: &Call<'_>,
        id: ProgrammeId,
        estate: EstateId,
        evaluation: Evaluation,
        answer: impl Fn(&StoredEvaluation) -> R,
    ) -> Result<R> {
        let estate = call.access.scope.estate(estate)?;
        or_repeated!(self, call, self.programme(call.access, id).await);
        let now = self.clock.now();
        let new = StoredEvaluation { id: Uuid::now_v7(), estate_id: estate.id(), evaluation, create_time: now };
        let response = answer(&new);
        let effects = Effects { claim: self.claim(call, &response), ..Effects::none() };
        match insert_evaluation(self.db.pool(), estate, id, &new, &effects).await {
            Ok(()) => Ok(response),
            Err(error) => self.failed(call, error).await,
        }
    }
}

fn retired_event(programme: &Programme, now: jiff::Timestamp) -> NewEvent {
    let fact = pb::ProgrammeRetired { programme_id: programme.id.to_string(), code: programme.code.clone() };
    NewEvent::new(programme.id, programme.estate_id, now, &fact)
}
