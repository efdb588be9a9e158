//! One step of a frame job: a page read, the draw, or a batch asked of the contact ledger. Each step ends with one guarded
//! statement, so a job that was paused, cancelled or taken up by another replica meanwhile writes nothing.

use jiff::Timestamp;
use steward_kit::auth::Scope;
use steward_kit::client::peer_error;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, StoreResult};
use steward_proto::common::v1 as common;
use steward_proto::customer::v1 as customer;
use steward_proto::notification::v1 as notification;
use tonic::Code;
use uuid::Uuid;

use super::App;
use crate::domain::codes::{FrameVerdict, JobState, JobStep, Method, WaveState};
use crate::domain::ids::InvitationId;
use crate::domain::{Encoded, FrameJob, WEIGHT_ONE, Wave};
use crate::events::publish;
use crate::store::frames::{Member, clear_frame, finish, list_running, load_candidates, load_eligible, save_page, save_verdicts};
use crate::store::records::Stored;

/// Households of a page.
const PAGE: i32 = 1000;
/// Contacts of a question.
const BATCH: i64 = 200;

impl App {
    /// Jobs that have work.
    pub(crate) async fn running_frame_jobs(&self) -> Result<Vec<Uuid>> {
        list_running(self.db.pool(), 20).await
    }

    /// Takes a job one step on. Says whether it may have more to do.
    pub(crate) async fn step_frame_job(&self, id: Uuid) -> Result<bool> {
        let scope = Scope::system("a frame is made");
        let (job, wave) = {
            let mut db = self.connection().await?;
            let job = FrameJob::load(&mut db, &self.cipher, &scope, id).await?;
            let wave = Wave::load(&mut db, &self.cipher, &scope, job.wave_id.as_uuid()).await?;
            (job, wave)
        };
        if job.state != JobState::Running {
            return Ok(false);
        }
        let now = self.clock.now();
        let done = if wave.state == WaveState::Draft {
            match job.step {
                JobStep::Reading => self.read_page(&job, &wave, now).await?,
                JobStep::Drawing => self.draw(&job, &wave, now).await?,
                JobStep::Checking => self.check_batch(&job, &wave, now).await?,
            }
        } else {
            self.fail(&job, "wave_moved_on", "the wave is no draft any more", now).await?
        };
        self.frame_job_changed(id);
        Ok(!done)
    }

    async fn read_page(&self, job: &FrameJob, wave: &Wave, now: Timestamp) -> Result<bool> {
        // Each page names the same day: the place of the next one is bound to what the first was asked.
        let as_of_date = match job.as_of_date.as_str() {
            "" => self.zone_of(wave.estate_id).await?.to_datetime(now).date().to_string(),
            begun => begun.to_owned(),
        };
        let answer = match self.peers.members(audience_of(job, wave, as_of_date)?).await {
            Ok(answer) => answer,
            // A predicate that cannot be evaluated is the designer's fault, and will be so tomorrow.
            Err(status) if status.code() == Code::InvalidArgument => {
                return self.fail(job, "predicate_invalid", status.message(), now).await;
            }
            Err(status) => return Err(peer_error("customer", status)),
        };
        if job.page_token.is_empty() && job.read == 0 {
            let mut db = self.connection().await?;
            clear_frame(&mut db, job).await?;
        }
        let sampling = &wave.design.sampling;
        let mut members = Vec::with_capacity(answer.members.len() + answer.excluded.len());
        for member in &answer.members {
            let stratum: Vec<&str> =
                sampling.strata_fields.iter().map(|field| member.facts.get(field).map_or("", String::as_str)).collect();
            let customer = Uuid::parse_str(&member.customer_id).ok();
            let (verdict, reason) = if customer.is_some() { (FrameVerdict::Eligible, "") } else { (FrameVerdict::Excluded, "no_contact") };
            members.push(read(&member.household_id, &member.unit_id, customer, verdict, reason, stratum.join("|"))?);
        }
        for excluded in &answer.excluded {
            let customer = Uuid::parse_str(&excluded.customer_id).ok();
            let (household, unit) = (&excluded.household_id, &excluded.unit_id);
            members.push(read(household, unit, customer, FrameVerdict::Excluded, &excluded.code, String::new())?);
        }
        let count = |verdict| i64::try_from(members.iter().filter(|member| member.verdict == verdict).count()).unwrap_or(i64::MAX);
        let (eligible, excluded) = (count(FrameVerdict::Eligible), count(FrameVerdict::Excluded));
        let after = FrameJob {
            step: if answer.next_page_token.is_empty() { JobStep::Drawing } else { JobStep::Reading },
            page_token: answer.next_page_token,
            as_of_date: answer.as_of_date,
            read: job.read + eligible + excluded,
            eligible: job.eligible + eligible,
            excluded: job.excluded + excluded,
            ..job.clone()
        };
        save_page(self.db.pool(), &after, job.row_version, &members, now).await?;
        Ok(false)
    }

    async fn draw(&self, job: &FrameJob, wave: &Wave, now: Timestamp) -> Result<bool> {
        let members = load_eligible(self.db.pool(), job).await?;
        let frame: Vec<(Uuid, String)> = members.iter().map(|member| (member.household, member.stratum.clone())).collect();
        let draw = match wave.design.sampling.draw(&frame) {
            Ok(draw) => draw,
            Err(fault) => {
                let detail = format!("design.sampling.{}: {}", fault.place, fault.description);
                return self.fail(job, fault.code, &detail, now).await;
            }
        };
        let drawn: Vec<(Member, Option<Uuid>)> = draw
            .order
            .iter()
            .zip(1..)
            .map(|(at, position)| {
                let member = &members[*at];
                let weight = draw.weights.get(&member.stratum).copied().unwrap_or(WEIGHT_ONE);
                (Member { position, weight, verdict: FrameVerdict::Eligible, reason: String::new(), ..member.clone() }, None)
            })
            .collect();
        let after = FrameJob { step: JobStep::Checking, wanted: draw.targets, ..job.clone() };
        save_verdicts(self.db.pool(), &after, job.row_version, &drawn, now).await?;
        Ok(false)
    }

    async fn check_batch(&self, job: &FrameJob, wave: &Wave, now: Timestamp) -> Result<bool> {
        let candidates = if job.is_filled() { Vec::new() } else { load_candidates(self.db.pool(), job, BATCH).await? };
        if candidates.is_empty() {
            return self.finish_frame(job, wave, now).await;
        }
        let refusals =
            if wave.design.ignores_contact_limits { vec![None; candidates.len()] } else { self.refusals(wave, &candidates).await? };
        let mut after = job.clone();
        let mut judged = Vec::with_capacity(candidates.len());
        for (member, refusal) in candidates.into_iter().zip(refusals) {
            after.checked = i32::try_from(member.position).map_err(Error::internal)?;
            let wanted = after.wanted.get_mut(wave.design.sampling.group(&member.stratum));
            let Some(wanted) = wanted.filter(|wanted| **wanted > 0) else { continue };
            match refusal {
                Some(reason) => {
                    // Of a census and a quota nobody takes the place of who is skipped: everybody is asked anyway.
                    if matches!(wave.design.sampling.method, Method::Census | Method::Quota) {
                        *wanted -= 1;
                    }
                    after.skipped += 1;
                    judged.push((Member { verdict: FrameVerdict::Skipped, reason, ..member }, None));
                }
                None => {
                    *wanted -= 1;
                    after.drawn += 1;
                    judged.push((Member { verdict: FrameVerdict::Sampled, ..member }, Some(InvitationId::new().as_uuid())));
                }
            }
        }
        save_verdicts(self.db.pool(), &after, job.row_version, &judged, now).await?;
        Ok(false)
    }

    /// How many households each estate has that may be asked: what the caller says, or else the delivered ones today.
    pub(crate) async fn populations(&self, estates: &[EstateId], said: Vec<i64>) -> Result<Vec<i64>> {
        if said.iter().all(|count| *count > 0) {
            return Ok(said);
        }
        let mut counts = Vec::with_capacity(said.len());
        for (estate, said) in estates.iter().zip(said) {
            counts.push(if said > 0 { said } else { self.delivered_today(*estate).await? });
        }
        Ok(counts)
    }

    async fn delivered_today(&self, estate: EstateId) -> Result<i64> {
        let today = self.zone_of(estate).await?.to_datetime(self.clock.now()).date().to_string();
        let estate_ids = vec![estate.to_string()];
        let question = customer::GetHouseholdBaseRequest { estate_ids, from_date: today.clone(), to_date: today };
        let bases = self.peers.bases(question).await?.bases;
        Ok(bases.iter().find(|base| base.kind() == customer::HouseholdBaseKind::Delivered).map_or(0, |base| base.count_sum))
    }

    /// Why each household may not be asked now; `None` for those that may (SV-41).
    async fn refusals(&self, wave: &Wave, members: &[Member]) -> Result<Vec<Option<String>>> {
        let question = |member: &Member| notification::ContactQuestion {
            estate_id: wave.estate_id.to_string(),
            household_id: member.household.to_string(),
            customer_id: member.customer.map(|id| id.to_string()).unwrap_or_default(),
            message_class: notification::MessageClass::Survey.into(),
            subject_kind: "survey_wave".to_owned(),
            subject_id: wave.id.to_string(),
            ..Default::default()
        };
        let verdicts = self.peers.check(members.iter().map(question).collect()).await?;
        let refusal = |verdict: &notification::ContactVerdict| match verdict.outcome() {
            // What is deferred waits for its hour; the message waits for it by itself.
            notification::ContactOutcome::Allowed | notification::ContactOutcome::Deferred => None,
            notification::ContactOutcome::Refused | notification::ContactOutcome::Unspecified => {
                Some(verdict.reasons.first().map_or_else(|| "refused".to_owned(), |reason| reason.code.to_lowercase()))
            }
        };
        if verdicts.len() != members.len() {
            return Err(Error::bug("the ledger answered other questions than were asked"));
        }
        Ok(verdicts.iter().map(refusal).collect())
    }

    async fn finish_frame(&self, job: &FrameJob, wave: &Wave, now: Timestamp) -> Result<bool> {
        if job.drawn == 0 {
            return self.fail(job, "sample_empty", "every household that was drawn may not be asked now", now).await;
        }
        let done = FrameJob { state: JobState::Done, end_time: Some(now), ..job.clone() };
        let framed = Wave { state: WaveState::Framed, ..wave.clone() };
        let effects = Effects { events: vec![publish::wave_framed(&framed, done.drawn, now)], ..Effects::none() };
        let mut tx = self.db.begin().await?;
        let quotas = &wave.design.sampling.quotas;
        if finish(&mut tx, &done, job.row_version, &framed, wave.row_version, quotas, &effects, now).await? {
            tx.commit().await.store()?;
            self.db.wake(&effects);
            return Ok(true);
        }
        Ok(false)
    }

    async fn fail(&self, job: &FrameJob, code: &str, detail: &str, now: Timestamp) -> Result<bool> {
        let failed = job.fail(code, detail, now);
        let mut db = self.connection().await?;
        // Somebody who was faster has the last word.
        failed.save(&mut db, &self.cipher, job.row_version, &Effects::none(), now).await?.store()
    }
}

fn read(household: &str, unit: &str, customer: Option<Uuid>, verdict: FrameVerdict, reason: &str, stratum: String) -> Result<Member> {
    let id = |text: &str| Uuid::parse_str(text).map_err(Error::internal);
    let (household, unit) = (id(household)?, id(unit)?);
    Ok(Member { household, unit, customer, verdict, reason: reason.to_owned(), stratum, position: 0, weight: WEIGHT_ONE })
}

fn audience_of(job: &FrameJob, wave: &Wave, as_of_date: String) -> Result<customer::ListAudienceMembersRequest> {
    let exclusions = wave.design.exclusions.iter().map(|exclusion| {
        Ok(customer::AudienceExclusion { code: exclusion.code.clone(), predicate: Some(predicate(&exclusion.predicate)?) })
    });
    Ok(customer::ListAudienceMembersRequest {
        estate_id: wave.estate_id.to_string(),
        predicate: match &wave.design.eligibility {
            Some(encoded) => Some(predicate(encoded)?),
            None => Some(delivered()),
        },
        exclusions: exclusions.collect::<Result<_>>()?,
        as_of_date,
        page_size: PAGE,
        page_token: job.page_token.clone(),
        fact_fields: wave.design.sampling.strata_fields.clone(),
    })
}

fn predicate(encoded: &Encoded) -> Result<common::Predicate> {
    prost::Message::decode(encoded.0.as_slice()).map_err(Error::internal)
}

/// Delivered households, the base of surveys (SV-39): those with a day of delivery.
fn delivered() -> common::Predicate {
    let condition =
        common::Condition { field: "household.delivered_date".to_owned(), operator: common::Operator::Exists.into(), values: Vec::new() };
    common::Predicate { kind: Some(common::predicate::Kind::Condition(condition)) }
}
