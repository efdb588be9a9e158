//! An answer of an identified wave is taken in.

use jiff::{SignedDuration, Timestamp};
use prost::Message;
use steward_kit::error::Violations;
use steward_kit::ids::{CustomerId, HouseholdId};
use steward_kit::{Error, Result};
use steward_kit_store::{NewEvent, TimerChange, constraint};

use super::App;
use super::invitations::RELEASE_PLACE;
use super::rules::{EstateRules, Frozen};
use super::transact::{Call, Follows, TRIES, or_repeated};
use crate::domain::codes::{InvitationState, Mode, Verdict};
use crate::domain::ids::{InvitationId, ResponseId, WaveId};
use crate::domain::{Answer, AnswerFault, Circumstances, Response, Terms, WEIGHT_ONE, Wave, judge, low_score, walk};
use crate::events::publish;
use crate::store::invitations::QUOTA_FULL;
use crate::store::responses::{
    Consequences, Entrance, HOUSEHOLD_COUNTED, Invited, Question, enter, insert_response, is_id_taken, save_response,
};

/// Answers, decoded.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) wave: WaveId,
    pub(crate) response: ResponseId,
    pub(crate) invitation: InvitationId,
    pub(crate) answers: Vec<Answer>,
    pub(crate) start_time: Option<Timestamp>,
    pub(crate) device: String,
}

/// A verdict and what it brings with it.
pub(super) struct Judged {
    pub(super) response: Response,
    pub(super) then: Consequences,
}

/// Whether a response of this verdict holds the place of its household and of its cell.
pub(super) fn occupies(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Valid | Verdict::Held | Verdict::PendingEntry => true,
        Verdict::Invalid | Verdict::OverQuota => false,
    }
}

impl App {
    /// Takes an answer in. Two trips: one statement reads the wave, the invitation, the household's standing and the device's
    /// history; one writes response, revision, invitation, quota, events and claim, or nothing. (The instrument and the policy
    /// come from memory.) A third where somebody was faster, or the quota was full.
    pub(crate) async fn submit_response<A: Message + Default>(
        &self,
        call: &Call<'_>,
        new: Submission,
        answer: impl Fn(&Response) -> A,
    ) -> Result<A> {
        let mark = (!new.device.is_empty()).then(|| self.marks.of(&format!("survey-device/{}", new.wave), &new.device));
        let mut over_quota = false;
        let mut last = None;
        for _ in 0..=TRIES {
            let now = self.clock.now();
            let question = Question {
                wave: new.wave,
                response: new.response,
                invitation: Some(new.invitation.as_uuid()),
                household: None,
                device_mark: mark.as_ref().map(<[u8; 32]>::as_slice),
            };
            let entrance = or_repeated!(self, call, enter(self.db.pool(), &self.cipher, &call.access.scope, &question).await);
            let decided = self.decide(call, &new, &entrance, mark.map(Vec::from), over_quota, now).await;
            let (judged, invited, rules, frozen) = or_repeated!(self, call, decided);
            let Judged { response, then } = judged;
            let wave = &entrance.wave;
            let reply = answer(&Response { row_version: response.row_version + 1, ..response.clone() });
            let follows =
                follows_of(wave, &frozen, &rules.terms(&wave.programme_code), &response, &invited, entrance.before.is_some(), now);
            let effects = self.effects(call, &reply, follows);
            let author = call.access.principal.subject.as_str();
            let written = match &entrance.before {
                None => {
                    let pool = self.db.pool();
                    insert_response(pool, &self.cipher, &response, Some(&invited), &then, author, &effects, now).await?
                }
                Some(before) => {
                    let occupied = occupies(before.verdict);
                    save_response(self.db.pool(), &self.cipher, &response, occupied, &then, author, &effects, now).await?
                }
            };
            match written {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(reply);
                }
                Ok(false) => {}
                Err(error) => match constraint(&error) {
                    Some(QUOTA_FULL) => over_quota = true,
                    Some(HOUSEHOLD_COUNTED) => {}
                    Some(name) if is_id_taken(name) => {}
                    _ => return self.failed(call, error).await,
                },
            }
            last = Some(Error::Stale { resource: "response" });
        }
        self.unless_repeated(call, last.unwrap_or(Error::Stale { resource: "response" })).await
    }

    async fn decide(
        &self,
        call: &Call<'_>,
        new: &Submission,
        entrance: &Entrance,
        mark: Option<Vec<u8>>,
        over_quota: bool,
        now: Timestamp,
    ) -> Result<(Judged, Invited, EstateRules, std::sync::Arc<Frozen>)> {
        let wave = &entrance.wave;
        wave.must_be_anonymous(false)?;
        wave.must_be_open()?;
        let invited = entrance.invited.clone().ok_or_else(|| Error::not_found("invitation", new.invitation))?;
        let frozen = self.frozen(wave.version_id).await?;
        let rules = self.rules.of_wave(wave).await?;
        let terms = rules.terms(&wave.programme_code);
        if let Some(before) = &entrance.before
            && (before.wave_id != wave.id || before.invitation_id != Some(new.invitation))
        {
            let detail = "the response id belongs to another response";
            return Err(Error::already_exists("response", "RESPONSE_ID_TAKEN", detail));
        }
        let walk = walked(&frozen, &new.answers)?;
        let counted_other = entrance.counted.is_some_and(|counted| counted != new.response.as_uuid());
        let answered_before = invited.state == InvitationState::Responded && entrance.before.is_none();
        let is_staff = call.access.scope.own_customer().is_none();
        let about = Circumstances {
            duration_s: new.start_time.map(|start| now.duration_since(start).as_secs()),
            household_answered: counted_other || answered_before && entrance.counted.is_some(),
            outside_frame: false,
            same_device_before: within(&entrance.same_device, now, terms.validity.burst_within_s),
            by_staff: is_staff,
        };
        let (mut verdict, findings) = judge(&frozen.rules, &new.answers, &walk, &about, &terms.validity);
        if over_quota && occupies(verdict) {
            verdict = Verdict::OverQuota;
        }
        let before = entrance.before.as_ref();
        let response = Response {
            id: new.response,
            estate_id: wave.estate_id,
            wave_id: wave.id,
            invitation_id: Some(new.invitation),
            household_id: Some(HouseholdId::from(invited.household)),
            customer_id: call.access.scope.own_customer_id().or(invited.customer.map(CustomerId::from)),
            mode: Mode::Online,
            answers: new.answers.clone(),
            verdict,
            findings,
            stratum: invited.stratum.clone(),
            weight: invited.weight,
            revision: before.map_or(1, |before| before.revision + 1),
            enterer: None,
            source_ref: None,
            entry_check: None,
            start_time: new.start_time,
            occur_time: before.map_or(now, |before| before.occur_time),
            receive_time: before.map_or(now, |before| before.receive_time),
            device_mark: before.map_or(mark, |before| before.device_mark.clone()),
            row_version: before.map_or(0, |before| before.row_version),
        };
        let then = consequences(&response, before, entrance.has_quota, &invited, &terms, now);
        Ok((Judged { response, then }, invited, rules, frozen))
    }
}

/// How many of these instants lie within a span before `now`.
fn within(times: &[i64], now: Timestamp, span_s: i64) -> i64 {
    let count = times.iter().filter(|time| **time >= now.as_second() - span_s).count();
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Walks the path; what is off it is refused, naming its question.
pub(super) fn walked(frozen: &Frozen, answers: &[Answer]) -> Result<crate::domain::Walk> {
    let walk = walk(&frozen.rules, answers);
    let mut bad = Violations::new();
    for AnswerFault { at, question, description } in &walk.faults {
        bad.add(format!("answers[{at}]"), "ANSWERS_INVALID", format!("question {question}: {description}"));
    }
    bad.finish()?;
    Ok(walk)
}

/// What a verdict means for household, quota and device.
pub(super) fn consequences(
    response: &Response,
    before: Option<&Response>,
    has_quota: bool,
    invited: &Invited,
    terms: &Terms,
    now: Timestamp,
) -> Consequences {
    let holds = occupies(response.verdict);
    let held = before.is_some_and(|before| occupies(before.verdict));
    let filled = if has_quota { i32::from(holds) - i32::from(held) } else { 0 };
    let released = i32::from(before.is_none() && invited.holds_place);
    let is_burst = response.findings.iter().any(|finding| finding.rule == "device_burst");
    let since = now.saturating_sub(SignedDuration::from_secs(terms.validity.burst_within_s)).unwrap_or(now);
    Consequences { occupies: holds, filled, released, holds_device_since: is_burst.then_some(since) }
}

/// What is told of a response: never of an anonymous one.
pub(super) fn follows_of(
    wave: &Wave,
    frozen: &Frozen,
    terms: &Terms,
    response: &Response,
    invited: &Invited,
    is_amendment: bool,
    now: Timestamp,
) -> Follows {
    let mut events: Vec<NewEvent> = Vec::new();
    if response.verdict == Verdict::Valid {
        events.push(publish::response_accepted(wave, &frozen.rules, response, invited.subject.as_ref(), now));
        if let Some(low) = low_score(&frozen.rules, &response.answers, terms.low_score, terms.low_score_of_ten).filter(|_| !is_amendment) {
            events.push(publish::low_score(wave, response, Some(invited.unit), low, now));
        }
    }
    let timers = if invited.holds_place { vec![TimerChange::cancel(RELEASE_PLACE, invited.id, "")] } else { Vec::new() };
    Follows { events, timers }
}

/// The weight of a response outside of any draw.
pub(super) const NO_DRAW: i64 = WEIGHT_ONE;
