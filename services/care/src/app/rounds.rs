//! Rounds of visits.

use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::App;
use super::transact::{Call, Target, or_repeated};
use crate::domain::base::{Change, Promise, Stored, TimerKind};
use crate::domain::codes::{ProgrammeState, RoundKind, RoundState};
use crate::domain::ids::{PlanItemId, ProgrammeId, VisitRoundId};
use crate::domain::programme::{Condition, Exclusion};
use crate::domain::round::{self, Case, Report, Round, RoundRules, Training};
use crate::store::documents::{Place, Table};
use crate::store::visits::{count_by_state, figures};

/// A round to create.
#[derive(Debug)]
pub(crate) struct NewRound {
    pub(crate) estate: EstateId,
    pub(crate) kind: RoundKind,
    pub(crate) title: String,
    pub(crate) from_date: Date,
    pub(crate) to_date: Date,
    pub(crate) coordinator: String,
    pub(crate) programme: Option<ProgrammeId>,
    pub(crate) definition_code: String,
    /// `None` when no audience is given; `Some(None)` is everybody.
    pub(crate) audience: Option<Option<Condition>>,
    pub(crate) exclusions: Vec<Exclusion>,
    pub(crate) plan_item: Option<PlanItemId>,
}

/// Visits of a round by state.
pub(crate) type VisitCounts = std::collections::BTreeMap<String, i64>;

/// Most days of a round.
const MOST_DAYS: i64 = 400;

impl App {
    /// Creates a round; its visits are drawn up in the background. One trip, and one each for its programme and its plan.
    pub(crate) async fn create_visit_round<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewRound,
        answer: impl Fn(&Stored<Round>) -> R,
    ) -> Result<R> {
        call.access.scope.estate(new.estate)?;
        let mut bad = Violations::new();
        let days = new.to_date.duration_since(new.from_date).as_hours() / 24;
        if !(0..=MOST_DAYS).contains(&days) {
            bad.add("to_date", "ROUND_INVALID", format!("must lie from 0 to {MOST_DAYS} days after from_date"));
        }
        if new.programme.is_some() == new.audience.is_some() {
            bad.add("programme_id", "ROUND_INVALID", "give either a programme or an audience");
        }
        bad.finish()?;
        // The programme may have ended since the request came first.
        or_repeated!(self, call, self.is_carried_out(call.access, &new).await);
        or_repeated!(self, call, self.known_item(Some(new.estate), new.plan_item).await);
        let now = self.clock.now();
        let rules = self.rules.of(new.estate, now).await?;
        let round = Round {
            kind: new.kind,
            title: new.title,
            from_date: new.from_date,
            to_date: new.to_date,
            coordinator: new.coordinator,
            state: RoundState::Preparing,
            programme_id: new.programme,
            definition_code: new.definition_code,
            audience: new.audience.flatten(),
            exclusions: new.exclusions,
            plan_item_id: new.plan_item,
            rules: RoundRules::of(new.kind, &rules.terms),
            trainings: Vec::new(),
            end_time: None,
            report_due_time: None,
            is_report_overdue: false,
            report: None,
            case: None,
        };
        let change = Change::to(round.clone()).promise(Promise::set(TimerKind::RoundPrepare, now));
        self.create(call, Stored::new(VisitRoundId::new(), new.estate, round, now), change, None, now, answer).await
    }

    /// What a round carries out is defined by a programme that is published for the estate, if it names one.
    async fn is_carried_out(&self, access: &Access, new: &NewRound) -> Result<()> {
        let Some(programme) = new.programme else { return Ok(()) };
        let programme = self.programme(access, programme).await?;
        if programme.state != ProgrammeState::Published || !programme.is_for(new.estate) {
            return Err(Error::not_found("programme", programme.id));
        }
        programme.definition(&new.definition_code).ok_or_else(|| Error::not_found("definition", &new.definition_code))?;
        Ok(())
    }

    /// A round and the counts of its visits. Two trips.
    pub(crate) async fn visit_round(&self, access: &Access, id: Uuid) -> Result<(Stored<Round>, VisitCounts)> {
        let row = self.load::<Round>(&access.scope, id).await?.ok_or_else(|| Error::not_found("visit round", id))?;
        let counts = count_by_state(self.db.pool(), row.estate_id, VisitRoundId::from(row.id)).await?;
        Ok((row, counts))
    }

    /// A page of an estate's rounds. One trip.
    pub(crate) async fn list_visit_rounds(
        &self,
        access: &Access,
        estate: EstateId,
        states: &[String],
        page: &PageRequest<Place>,
    ) -> Result<Vec<Stored<Round>>> {
        self.all_opened(Round::list(&mut *self.conn().await?, access.scope.estate(estate)?, states, page).await?)
    }

    /// Somebody was trained (CA-41). Two trips.
    pub(crate) async fn record_training<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        training: Training,
        answer: impl Fn(&Stored<Round>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, _| round::train(row, training.clone()), answer).await
    }

    /// The visits end (CA-48). Two trips; what is left is cancelled in the background.
    pub(crate) async fn end_visit_round<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Stored<Round>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, rules, now| round::end(row, now, rules), answer).await
    }

    /// The report comes in, with what the forms amount to (CA-48). Three trips.
    pub(crate) async fn submit_round_report<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        analysis: &str,
        answer: impl Fn(&Stored<Round>) -> R,
    ) -> Result<R> {
        let row = self.load::<Round>(&call.access.scope, target.id).await?;
        let Some(row) = row else { return self.unless_repeated(call, Error::not_found("visit round", target.id)).await };
        let before = crate::domain::base::Document::sort_time(&row.value);
        let (this, previous) = figures(self.db.pool(), row.estate_id, VisitRoundId::from(row.id), row.value.kind, before).await?;
        let report = |now| Report {
            figures: this.clone(),
            previous: previous.clone(),
            analysis: analysis.to_owned(),
            is_late: false,
            submit_time: now,
            actor_subject: call.subject().to_owned(),
        };
        self.change(call, target, |row, _, now| round::report(row, report(now)), answer).await
    }

    /// The round becomes a case (CA-49). Two trips.
    pub(crate) async fn archive_visit_round<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        title: &str,
        lesson: &str,
        answer: impl Fn(&Stored<Round>) -> R,
    ) -> Result<R> {
        let case = |time| Case { title: title.to_owned(), lesson: lesson.to_owned(), time };
        self.change(call, target, |row, _, now| round::archive(row, case(now)), answer).await
    }
}
