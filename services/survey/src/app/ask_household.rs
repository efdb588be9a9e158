//! One household is asked because of something that happened to it: a touchpoint of care, an order that was done, a visit, an
//! activity (SV-27 to SV-30). It joins the month's standing wave of a programme that asks the questionnaire, and its answer is
//! told with what it was about.

use jiff::Timestamp;
use jiff::civil::Date;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::auth::Scope;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId, UnitId};
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, TimerChange, constraint, store_error};
use uuid::Uuid;

use super::App;
use super::improvement::end_of;
use super::launch::CLOSE;
use super::rules::EstateRules;
use super::transact::{Call, Follows, TRIES};
use crate::domain::codes::{Allocation, InvitationState, Method, Mode, ProgrammeKind, WaveState};
use crate::domain::ids::{InvitationId, QuestionnaireVersionId, WaveId};
use crate::domain::{Design, Invitation, Programme, Sampling, Subject, WEIGHT_ONE, Wave};
use crate::events::publish;
use crate::store::asking::{insert_asked, take_one_for_reminder};
use crate::store::programmes::list_programmes_asking;
use crate::store::questionnaires::{load_questionnaire_by_code, load_version};
use crate::store::records::Stored;

/// Kind of the timer that reminds one household of a standing wave. Its subject is the invitation, its key the number.
pub(crate) const REMIND_ONE: &str = "remind_one";

/// Whom to ask what, and why.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub(crate) estate: EstateId,
    pub(crate) household: HouseholdId,
    pub(crate) unit: UnitId,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) questionnaire: String,
    pub(crate) subject: Subject,
}

impl App {
    /// Asks a household. One transaction: questionnaire, programmes, wave, invitation; the wave's row once a month.
    pub(crate) async fn ask_household<A: Message + Default>(
        &self,
        call: &Call<'_>,
        asking: &Asking,
        answer: impl Fn(&Invitation) -> A,
    ) -> Result<A> {
        call.access.scope.estate(asking.estate)?;
        for _ in 0..TRIES {
            let now = self.clock.now();
            // Before the transaction, and what is refused after it: a caller never waits for a second connection while they hold one.
            let rules = self.rules.of(asking.estate, now).await?;
            let mut tx = self.db.begin().await?;
            let asked = self.ask(&mut tx, asking, &rules, now).await;
            let (invitation, follows) = match asked {
                Ok(Some(asked)) => asked,
                // Another call made the month's wave.
                Err(Asked::WaveMade) => continue,
                Ok(None) => {
                    drop(tx);
                    let detail = "the household is asked the questionnaire already in this month's wave";
                    let refusal = Error::already_exists("invitation", "HOUSEHOLD_ASKED", detail);
                    return self.unless_repeated(call, refusal).await;
                }
                Err(Asked::Refused(refusal)) => {
                    drop(tx);
                    return self.unless_repeated(call, refusal).await;
                }
            };
            let response = answer(&invitation);
            let effects = self.effects(call, &response, follows);
            if let Err(error) = effects.try_write(&self.db, &mut tx, now).await {
                drop(tx);
                return self.failed(call, error).await;
            }
            tx.commit().await.map_err(store_error)?;
            self.db.wake(&effects);
            return Ok(response);
        }
        self.unless_repeated(call, Error::Stale { resource: "wave" }).await
    }

    /// Asks a household on the transaction of an event. One that is asked already is let be.
    pub(crate) async fn ask_by_event(&self, tx: &mut PgConnection, asking: &Asking, now: Timestamp) -> Result<Effects> {
        let rules = match self.rules.of(asking.estate, now).await {
            Ok(rules) => rules,
            // The directory is behind: the estate's own event is on its way.
            Err(Error::NotFound { .. }) => {
                return Err(Error::unavailable("estate directory", anyhow::anyhow!("estate {} is not known yet", asking.estate)));
            }
            Err(error) => return Err(error),
        };
        match self.ask(tx, asking, &rules, now).await {
            Ok(Some((_, follows))) => Ok(Effects { claim: None, events: follows.events, timers: follows.timers }),
            Ok(None) => Ok(Effects::none()),
            Err(Asked::Refused(refusal)) => Err(refusal),
            Err(Asked::WaveMade) => Err(Error::unavailable("postgres", anyhow::anyhow!("another replica makes the month's wave"))),
        }
    }

    /// Finds or makes the month's wave and invites the household; `None` when it is asked already, or the wave takes no answers.
    async fn ask(
        &self,
        tx: &mut PgConnection,
        asking: &Asking,
        rules: &EstateRules,
        now: Timestamp,
    ) -> Result<Option<(Invitation, Follows)>, Asked> {
        let questionnaire = load_questionnaire_by_code(&mut *tx, &asking.questionnaire).await?;
        let version = questionnaire.latest_version_id.ok_or_else(|| Error::not_found("questionnaire version", &asking.questionnaire))?;
        let programmes = list_programmes_asking(&mut *tx, questionnaire.id).await?;
        let programme = programme_for(&programmes, asking.estate).ok_or_else(|| Error::not_found("programme", &asking.questionnaire))?;
        let mut follows = Follows::nothing();
        let wave = self.standing_wave(tx, asking.estate, programme, version, rules, &mut follows, now).await?;
        if wave.state != WaveState::Launched {
            tracing::info!(wave = %wave.id, "a household is not asked: the month's wave was closed");
            return Ok(None);
        }
        let invitation = Invitation {
            id: InvitationId::new(),
            estate_id: asking.estate,
            wave_id: wave.id,
            household_id: asking.household,
            unit_id: asking.unit,
            customer_id: asking.customer,
            state: InvitationState::Invited,
            stratum: String::new(),
            weight: WEIGHT_ONE,
            reminder_count: 0,
            holds_place: false,
            failure_code: String::new(),
            invite_time: now,
            deliver_time: None,
            open_time: None,
            start_time: None,
            respond_time: None,
            subject: Some(asking.subject.clone()),
            token_mark: None,
            row_version: 1,
        };
        if !insert_asked(tx, &invitation).await? {
            return Ok(None);
        }
        // Without somebody to write to, staff ask in person.
        if invitation.customer_id.is_some() {
            follows.events.push(publish::invitation_due(&wave, &invitation, now));
            follows.timers.extend(reminder(rules, &wave, &invitation, 1, now)?);
        }
        Ok(Some((invitation, follows)))
    }

    /// The standing wave of a programme and instrument in the month of `now`; its id follows from them, so replicas make one.
    #[expect(clippy::too_many_arguments, reason = "what a wave is made of")]
    async fn standing_wave(
        &self,
        tx: &mut PgConnection,
        estate: EstateId,
        programme: &Programme,
        version: QuestionnaireVersionId,
        rules: &EstateRules,
        follows: &mut Follows,
        now: Timestamp,
    ) -> Result<Wave, Asked> {
        let month = rules.zone.to_datetime(now).date().first_of_month();
        let id = id_of(estate, programme, version, month);
        match Wave::load(&mut *tx, &self.cipher, &Scope::system("a standing wave"), id.as_uuid()).await {
            Ok(wave) => return Ok(wave),
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let terms = rules.terms(&programme.code);
        let instrument = load_version(&mut *tx, version).await?;
        let last_day = end_of(month.last_of_month(), &rules.zone)?;
        let wave = Wave {
            id,
            estate_id: estate,
            programme_id: programme.id,
            programme_code: programme.code.clone(),
            name: format!("{} {}", programme.name_zh, month.strftime("%Y-%m")),
            state: WaveState::Launched,
            design: standing_design(rules.maybe_due(last_day, terms.open_for.as_ref())?),
            version_id: version,
            sha256: hex::encode(instrument.sha256),
            policy_version_ids: rules.version_ids.clone(),
            required: terms.min_valid,
            requires_improvement_plan: false,
            is_standing: true,
            frame_job_id: None,
            launch_time: Some(now),
            close_time: None,
            under_sample_reason: None,
            cost_fen: 0,
            page: None,
            create_time: now,
            update_time: now,
            row_version: 1,
        };
        match wave.insert(tx, &self.cipher, &Effects::none(), now).await? {
            Ok(()) => {}
            Err(error) if constraint(&error) == Some("waves_pkey") => return Err(Asked::WaveMade),
            Err(error) => return Err(store_error(error).into()),
        }
        follows.events.push(publish::wave_launched(&wave, now));
        if let Some(due) = wave.design.close_due_time {
            follows.timers.push(TimerChange::set(CLOSE, wave.id, "", estate, due));
        }
        Ok(wave)
    }

    /// Reminds one household of a standing wave, on the transaction of its timer; not one that has answered (SV-53).
    pub(crate) async fn remind_one(&self, tx: &mut PgConnection, invitation: Uuid, key: &str, now: Timestamp) -> Result<Effects> {
        let number: u32 = key.parse().map_err(Error::internal)?;
        let Some(invitation) = take_one_for_reminder(tx, invitation, number).await? else { return Ok(Effects::none()) };
        let Some(wave) = self.open_wave(tx, invitation.wave_id.as_uuid()).await? else { return Ok(Effects::none()) };
        let rules = self.rules.of_wave(&wave).await?;
        let channel = rules.terms(&wave.programme_code).reminder_channel(number).to_owned();
        let timers = reminder(&rules, &wave, &invitation, number + 1, now)?.into_iter().collect();
        Ok(Effects { claim: None, events: vec![publish::reminder_due(&wave, &invitation, number, &channel, now)], timers })
    }
}

/// Why a household was not asked.
enum Asked {
    /// Somebody makes the month's wave at this moment.
    WaveMade,
    /// Anything else.
    Refused(Error),
}

impl From<Error> for Asked {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// The timer of a reminder, as long as the policy grants one.
fn reminder(rules: &EstateRules, wave: &Wave, invitation: &Invitation, number: u32, now: Timestamp) -> Result<Option<TimerChange>> {
    let terms = rules.terms(&wave.programme_code);
    let due = if number <= terms.reminders { rules.maybe_due(now, terms.reminder_after.as_ref())? } else { None };
    Ok(due.map(|due| TimerChange::set(REMIND_ONE, invitation.id, number.to_string(), invitation.estate_id, due)))
}

/// The programme that asks a household: the estate's own before that of every estate, one made for such occasions before others.
fn programme_for(programmes: &[Programme], estate: EstateId) -> Option<&Programme> {
    let fits = |programme: &&Programme| programme.estate_id.is_none_or(|own| own == estate);
    let rank = |programme: &&Programme| {
        let is_apt = match programme.kind {
            ProgrammeKind::Stage | ProgrammeKind::Micro => true,
            ProgrammeKind::Annual | ProgrammeKind::Periodic | ProgrammeKind::Special | ProgrammeKind::Interview => false,
        };
        (!is_apt, programme.estate_id.is_none(), programme.id)
    };
    programmes.iter().filter(fits).min_by_key(rank)
}

fn id_of(estate: EstateId, programme: &Programme, version: QuestionnaireVersionId, month: Date) -> WaveId {
    let text = steward_kit::ids::derive_request_id(&estate.to_string(), &format!("standing/{}/{version}/{month}", programme.id));
    Uuid::parse_str(&text).unwrap_or_default().into()
}

/// Everybody to whom it happens is asked, on every way in which somebody can be asked alone.
fn standing_design(close_due_time: Option<Timestamp>) -> Design {
    Design {
        is_anonymous: false,
        modes: vec![Mode::Online, Mode::Phone, Mode::Visit, Mode::Interview, Mode::Paper],
        sampling: Sampling {
            method: Method::Census,
            seed: 1,
            size: 0,
            strata_fields: Vec::new(),
            allocation: Allocation::Proportional,
            quotas: Vec::new(),
            oversampling: Vec::new(),
        },
        eligibility: None,
        exclusions: Vec::new(),
        min_valid: 0,
        subject: None,
        pair_wave_id: None,
        ignores_contact_limits: false,
        close_due_time,
    }
}
