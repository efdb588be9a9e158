//! Staff enter what somebody answered on paper, to an interviewer, by telephone or at the door (SV-06, SV-10, SV-48).

use jiff::Timestamp;
use prost::Message;
use steward_kit::error::WrongState;
use steward_kit::ids::{CustomerId, HouseholdId};
use steward_kit::{Error, Result};
use steward_kit_store::constraint;
use uuid::Uuid;

use super::App;
use super::submit_response::{NO_DRAW, consequences, follows_of, occupies, walked};
use super::transact::{Call, Follows, TRIES, or_repeated};
use crate::domain::codes::{Mode, Verdict};
use crate::domain::ids::{InvitationId, ResponseId, WaveId};
use crate::domain::{Answer, Circumstances, Response, Wave, is_drawn_for_second_entry, judge};
use crate::store::invitations::QUOTA_FULL;
use crate::store::records::Stored;
use crate::store::responses::{
    Consequences, Entrance, HOUSEHOLD_COUNTED, Question, SOURCE_TAKEN, enter, insert_response, is_id_taken, load_response, save_response,
};

/// What was entered, decoded.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) wave: WaveId,
    pub(crate) response: ResponseId,
    pub(crate) mode: Mode,
    pub(crate) invitation: Option<InvitationId>,
    pub(crate) household: Option<HouseholdId>,
    pub(crate) source_ref: String,
    pub(crate) answers: Vec<Answer>,
    pub(crate) occur_time: Timestamp,
}

impl App {
    /// Enters a response. Two trips, as for one that its respondent gives.
    pub(crate) async fn enter_response<A: Message + Default>(
        &self,
        call: &Call<'_>,
        new: Entry,
        answer: impl Fn(&Response) -> A,
    ) -> Result<A> {
        let mut over_quota = false;
        for _ in 0..=TRIES {
            let now = self.clock.now();
            let question = Question {
                wave: new.wave,
                response: new.response,
                invitation: new.invitation.map(Uuid::from),
                household: new.household.map(Uuid::from),
                device_mark: None,
            };
            let entrance = or_repeated!(self, call, enter(self.db.pool(), &self.cipher, &call.access.scope, &question).await);
            let decided = self.decide_entry(call, &new, &entrance, over_quota, now).await;
            let (response, then, follows) = or_repeated!(self, call, decided);
            // Of an anonymous wave the paper names nobody, so there is no invitation to note it at.
            let invited = entrance.invited.as_ref().filter(|_| !entrance.wave.design.is_anonymous);
            let reply = answer(&Response { row_version: 1, ..response.clone() });
            let effects = self.effects(call, &reply, follows);
            let author = call.access.principal.subject.as_str();
            match insert_response(self.db.pool(), &self.cipher, &response, invited, &then, author, &effects, now).await? {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(reply);
                }
                Ok(false) => {}
                Err(error) => match constraint(&error) {
                    Some(QUOTA_FULL) => over_quota = true,
                    Some(HOUSEHOLD_COUNTED) => {}
                    Some(SOURCE_TAKEN) => {
                        let refusal = Error::already_exists("response", "SOURCE_REF_TAKEN", "the paper was entered already");
                        return self.unless_repeated(call, refusal).await;
                    }
                    Some(name) if is_id_taken(name) => {
                        let refusal = Error::already_exists("response", "RESPONSE_ID_TAKEN", "the response id belongs to another response");
                        return self.unless_repeated(call, refusal).await;
                    }
                    _ => return self.failed(call, error).await,
                },
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "response" }).await
    }

    async fn decide_entry(
        &self,
        call: &Call<'_>,
        new: &Entry,
        entrance: &Entrance,
        over_quota: bool,
        now: Timestamp,
    ) -> Result<(Response, Consequences, Follows)> {
        let wave = &entrance.wave;
        wave.must_be_open()?;
        if !wave.design.modes.contains(&new.mode) || new.mode == Mode::Online {
            return Err(Error::invalid("mode", "MODE_NOT_ALLOWED", "must be a mode of the wave other than online"));
        }
        let launched = wave.launch_time.unwrap_or(wave.create_time);
        if new.occur_time > now || new.occur_time < launched {
            return Err(Error::invalid("occur_time", "TIME_NOT_PLAUSIBLE", "must lie between the launch and now"));
        }
        if new.invitation.is_some() && entrance.invited.is_none() {
            return Err(Error::not_found("invitation", new.invitation.map(|id| id.to_string()).unwrap_or_default()));
        }
        if entrance.before.is_some() {
            return Err(Error::already_exists("response", "RESPONSE_ID_TAKEN", "the response id belongs to another response"));
        }
        let frozen = self.frozen(wave.version_id).await?;
        let rules = self.rules.of_wave(wave).await?;
        let terms = rules.terms(&wave.programme_code);
        let walk = walked(&frozen, &new.answers)?;
        let invited = entrance.invited.clone();
        let about = Circumstances {
            household_answered: entrance.counted.is_some(),
            outside_frame: invited.is_none() && !wave.design.is_anonymous,
            ..Circumstances::default()
        };
        let (mut verdict, findings) = judge(&frozen.rules, &new.answers, &walk, &about, &terms.validity);
        if verdict == Verdict::Valid && new.mode == Mode::Paper && is_drawn_for_second_entry(wave.id, &new.source_ref, terms.second_entry) {
            verdict = Verdict::PendingEntry;
        }
        if over_quota && occupies(verdict) {
            verdict = Verdict::OverQuota;
        }
        let hidden = wave.design.is_anonymous;
        // Of an anonymous wave the day alone is kept, and nobody is named.
        let time = |at: Timestamp| if hidden { super::blind::day_of(at, &rules.zone) } else { at };
        let shown = invited.as_ref().filter(|_| !hidden);
        let response = Response {
            id: new.response,
            estate_id: wave.estate_id,
            wave_id: wave.id,
            invitation_id: shown.map(|invited| invited.id.into()),
            household_id: shown.map(|invited| invited.household.into()).or(new.household.filter(|_| !hidden)),
            customer_id: shown.and_then(|invited| invited.customer).map(CustomerId::from),
            mode: new.mode,
            answers: new.answers.clone(),
            verdict,
            findings,
            stratum: invited.as_ref().map(|invited| invited.stratum.clone()).unwrap_or_default(),
            weight: invited.as_ref().map_or(NO_DRAW, |invited| invited.weight),
            revision: 1,
            enterer: Some(call.access.principal.subject.clone()),
            source_ref: Some(new.source_ref.clone()),
            entry_check: None,
            start_time: None,
            occur_time: time(new.occur_time),
            receive_time: time(now),
            device_mark: None,
            row_version: 0,
        };
        let then = match shown {
            Some(invited) => consequences(&response, None, entrance.has_quota, invited, &terms, now),
            None => Consequences { occupies: occupies(response.verdict), ..Consequences::default() },
        };
        let follows = match shown {
            Some(invited) => follows_of(wave, &frozen, &terms, &response, invited, false, now),
            None => Follows::nothing(),
        };
        Ok((response, then, follows))
    }

    /// Enters a paper a second time and compares (SV-48). Three trips.
    pub(crate) async fn enter_again<A: Message + Default>(
        &self,
        call: &Call<'_>,
        id: ResponseId,
        answers: Vec<Answer>,
        answer: impl Fn(&Response) -> A,
    ) -> Result<A> {
        for _ in 0..TRIES {
            let before = or_repeated!(self, call, load_response(self.db.pool(), &self.cipher, &call.access.scope, id).await);
            let wave: Wave = {
                let mut db = self.connection().await?;
                Wave::load(&mut db, &self.cipher, &call.access.scope, before.wave_id.as_uuid()).await?
            };
            let frozen = self.frozen(wave.version_id).await?;
            let enterer = call.access.principal.subject.as_str();
            let decided = if before.enterer.as_deref() == Some(enterer) {
                let detail = "the second entry must be made by somebody else";
                Err(WrongState::new("SAME_ENTERER", format!("response {id}"), before.verdict.as_str(), [""; 0], detail).into())
            } else {
                walked(&frozen, &answers).and_then(|_| before.enter_again(enterer, &answers, self.clock.now()))
            };
            let after = Response { revision: before.revision + 1, ..or_repeated!(self, call, decided) };
            let now = self.clock.now();
            let reply = answer(&Response { row_version: before.row_version + 1, ..after.clone() });
            let effects = self.effects(call, &reply, Follows::nothing());
            let then = Consequences { occupies: occupies(after.verdict), ..Consequences::default() };
            match save_response(self.db.pool(), &self.cipher, &after, true, &then, enterer, &effects, now).await? {
                Ok(true) => return Ok(reply),
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "response" }).await
    }
}
