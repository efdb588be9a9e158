//! Waves from design to archive.

use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::{Access, ScopedEstate};
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::App;
use super::improvement::end_of;
use super::transact::{Call, Follows, Target, or_repeated};
use crate::domain::codes::WaveState;
use crate::domain::ids::{ProgrammeId, QuestionnaireVersionId, WaveId};
use crate::domain::{Design, Numbers, Wave};
use crate::events::publish;
use crate::store::counts::{load_numbers, load_plan_ids};
use crate::store::facts::sum_wave_costs;
use crate::store::programmes::load_programme;
use crate::store::questionnaires::{load_questionnaire, load_version};

/// A wave to design.
#[derive(Debug)]
pub(crate) struct NewWave {
    pub(crate) estate: EstateId,
    pub(crate) programme: ProgrammeId,
    pub(crate) name: String,
    pub(crate) version: Option<QuestionnaireVersionId>,
    pub(crate) design: Design,
}

/// What to change of a draft; `None` stays.
#[derive(Debug, Default)]
pub(crate) struct WaveEdit {
    pub(crate) name: Option<String>,
    pub(crate) design: Option<Design>,
    pub(crate) version: Option<QuestionnaireVersionId>,
}

/// A wave with what is counted beside it.
#[derive(Debug)]
pub(crate) struct WaveView {
    pub(crate) wave: Wave,
    pub(crate) numbers: Numbers,
    pub(crate) plan_ids: Vec<Uuid>,
}

impl App {
    /// Designs a wave. Four trips: programme, instrument, pair, row.
    pub(crate) async fn create_wave<A: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewWave,
        answer: impl Fn(&Wave) -> A + Sync,
    ) -> Result<A> {
        let estate = call.access.scope.estate(new.estate)?.id();
        let programme = or_repeated!(self, call, load_programme(self.db.pool(), &call.access.scope, new.programme).await);
        if programme.estate_id.is_some_and(|own| own != estate) {
            return Err(Error::not_found("programme", new.programme));
        }
        let now = self.clock.now();
        let rules = self.rules.of(estate, now).await?;
        let terms = rules.terms(&programme.code);
        let version = match new.version {
            Some(version) => or_repeated!(self, call, load_version(self.db.pool(), version).await),
            None => {
                let latest = load_questionnaire(self.db.pool(), programme.questionnaire_id).await?.latest_version_id;
                let detail = "the programme's questionnaire has no version yet";
                let latest = latest.ok_or_else(|| Error::invalid("questionnaire_version_id", "QUESTIONNAIRE_VERSION_NOT_FOUND", detail))?;
                load_version(self.db.pool(), latest).await?
            }
        };
        let frozen = self.frozen(version.id).await?;
        let mut bad = Violations::new();
        let there = frozen.rules.top_dimension_count();
        if u64::try_from(there).unwrap_or(u64::MAX) < u64::from(terms.min_dimensions) {
            let description = format!("the policy demands {} dimensions, the instrument has {there}", terms.min_dimensions);
            bad.add("questionnaire_version_id", "QUESTIONNAIRE_INVALID", description);
        }
        check_design(&mut bad, &new.design);
        // The policy may demand more by now than it did when the request came first.
        or_repeated!(self, call, bad.finish());
        let mut design = new.design;
        seed(&mut design);
        let wave = Wave {
            id: WaveId::new(),
            estate_id: estate,
            programme_id: programme.id,
            programme_code: programme.code,
            name: new.name,
            state: WaveState::Draft,
            required: if design.min_valid > 0 { design.min_valid } else { terms.min_valid },
            design,
            version_id: version.id,
            sha256: hex::encode(version.sha256),
            policy_version_ids: rules.version_ids.clone(),
            requires_improvement_plan: programme.requires_improvement_plan || terms.requires_improvement_plan,
            is_standing: false,
            frame_job_id: None,
            launch_time: None,
            close_time: None,
            under_sample_reason: None,
            cost_fen: 0,
            page: None,
            create_time: now,
            update_time: now,
            row_version: 1,
        };
        if let Some(pair) = wave.design.pair_wave_id {
            let baseline: Wave = or_repeated!(self, call, self.load(call.access, pair).await);
            or_repeated!(self, call, self.must_be_comparable(&baseline, &wave).await);
        }
        self.create(call, &wave, Follows::nothing(), answer, now).await
    }

    /// Changes a draft. Two trips, more with another instrument or pair.
    pub(crate) async fn update_wave<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        edit: WaveEdit,
        answer: impl Fn(&Wave) -> A + Sync,
    ) -> Result<A> {
        let mut bad = Violations::new();
        if let Some(design) = &edit.design {
            check_design(&mut bad, design);
        }
        bad.finish()?;
        let version = match edit.version {
            Some(version) => Some(load_version(self.db.pool(), version).await?),
            None => None,
        };
        let present: Wave = or_repeated!(self, call, self.load(call.access, target.id).await);
        let terms = self.rules.of_wave(&present).await?.terms(&present.programme_code);
        let mut design = edit.design.clone();
        if let Some(design) = &mut design {
            seed(design);
            if let Some(pair) = design.pair_wave_id {
                let baseline: Wave = or_repeated!(self, call, self.load(call.access, pair).await);
                or_repeated!(self, call, self.must_be_comparable(&baseline, &present).await);
            }
        }
        let decide = |wave: &Wave, _| {
            wave.must_be(WaveState::Draft, "the design is fixed once the wave is framed, the instrument once it is launched")?;
            let mut after = wave.clone();
            after.name = edit.name.clone().unwrap_or(after.name);
            if let Some(design) = &design {
                after.required = if design.min_valid > 0 { design.min_valid } else { terms.min_valid };
                after.design = design.clone();
            }
            if let Some(version) = &version {
                (after.version_id, after.sha256) = (version.id, hex::encode(version.sha256));
            }
            Ok((after, Follows::nothing()))
        };
        self.change(call, target, decide, answer).await
    }

    /// A wave with its numbers. Three trips.
    pub(crate) async fn wave_view(&self, access: &Access, id: WaveId) -> Result<WaveView> {
        let wave: Wave = self.load(access, id).await?;
        let numbers = load_numbers(self.db.pool(), wave.estate_id, wave.id).await?;
        let plan_ids = load_plan_ids(self.db.pool(), wave.estate_id, wave.id).await?;
        Ok(WaveView { wave, numbers, plan_ids })
    }

    /// Closes a wave (SV-01). Four trips: its numbers are counted for the decision.
    pub(crate) async fn close_wave<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        reason: Option<String>,
        answer: impl Fn(&Wave) -> A + Sync,
    ) -> Result<A> {
        let wave: Wave = or_repeated!(self, call, self.load(call.access, target.id).await);
        let valid = load_numbers(self.db.pool(), wave.estate_id, wave.id).await?.valid;
        let decide = |wave: &Wave, now| {
            let closed = wave.close(valid, reason.as_deref(), now)?;
            let fact = publish::wave_closed(&closed, valid, false, now);
            let timers = vec![steward_kit_store::TimerChange::cancel_all(wave.id)];
            Ok((closed, Follows { events: vec![fact], timers }))
        };
        self.change(call, target, decide, answer).await
    }

    /// Puts a wave away (SV-03). Four trips.
    pub(crate) async fn archive_wave<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Wave) -> A + Sync,
    ) -> Result<A> {
        let wave: Wave = or_repeated!(self, call, self.load(call.access, target.id).await);
        let plans = load_plan_ids(self.db.pool(), wave.estate_id, wave.id).await?.len();
        let decide = |wave: &Wave, now| {
            let archived = wave.archive(plans, now)?;
            let fact = publish::wave_archived(&archived, now);
            Ok((archived, Follows::event(fact)))
        };
        self.change(call, target, decide, answer).await
    }

    /// Gives a wave up. Two trips.
    pub(crate) async fn cancel_wave<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        answer: impl Fn(&Wave) -> A + Sync,
    ) -> Result<A> {
        self.change(call, target, |wave: &Wave, now| Ok((wave.cancel(now)?, Follows::nothing())), answer).await
    }

    /// Records what a wave cost (SV-50). Two trips.
    pub(crate) async fn record_cost<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        cost_fen: i64,
        answer: impl Fn(&Wave) -> A + Sync,
    ) -> Result<A> {
        self.change(call, target, |wave: &Wave, now| Ok((Wave { cost_fen, update_time: now, ..wave.clone() }, Follows::nothing())), answer)
            .await
    }

    /// What the waves of a period cost together (SV-50). One trip.
    pub(crate) async fn wave_costs(&self, estate: ScopedEstate, from: Date, to: Date) -> Result<(i64, i64)> {
        let zone = self.zone_of(estate.id()).await?;
        let start = from.to_zoned(zone.clone()).map_err(Error::internal)?.timestamp();
        sum_wave_costs(self.db.pool(), estate, (start, end_of(to, &zone)?)).await
    }

    /// Refuses two waves whose instruments may not be compared (SV-34, SV-47).
    pub(super) async fn must_be_comparable(&self, baseline: &Wave, wave: &Wave) -> Result<()> {
        let frozen = self.frozen(wave.version_id).await?;
        let compares = frozen.comparisons.iter().any(|comparison| comparison.earlier_version_id == baseline.version_id);
        if baseline.sha256 == wave.sha256 || compares {
            return Ok(());
        }
        let detail = "the waves were asked with instruments that may not be compared";
        Err(Error::invalid("baseline_wave_id", "INSTRUMENT_DIFFERS", detail))
    }
}

fn check_design(bad: &mut Violations, design: &Design) {
    for fault in design.sampling.faults() {
        bad.add(format!("design.sampling.{}", fault.place), "SAMPLING_INVALID", fault.description);
    }
}

/// A draw without a seed gets one, which is then shown (SV-37).
fn seed(design: &mut Design) {
    while design.sampling.seed == 0 {
        design.sampling.seed = u64::from_be_bytes(Uuid::now_v7().as_bytes()[8..].try_into().unwrap_or_default());
    }
}
