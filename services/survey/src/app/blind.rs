//! Anonymous waves (SV-40). A household takes one token; an answer is given for a token. What connects the two is a nonce that
//! the client alone keeps:
//!
//! * the invitation holds a keyed hash of the nonce, so that a repetition gets the same token and another nonce gets none;
//! * the token is the nonce, its stratum and weight, under a keyed hash of all three; it is stored nowhere;
//! * the answer holds another keyed hash of the nonce, so that a token is answered for once.
//!
//! From either hash the nonce cannot be told, so no table, nor all of them with every key, leads from a household to an answer.
//! No claim on a request is written on either side: it would hold the token, or name the caller beside the answer.

use aws_lc_rs::{constant_time, digest};
use jiff::Timestamp;
use steward_kit::auth::Access;
use steward_kit::error::WrongState;
use steward_kit::{Error, Result};
use steward_kit_store::{constraint, store_error};
use steward_proto::survey::v1 as pb;

use super::App;
use super::submit_response::{occupies, walked};
use super::transact::TRIES;
use crate::domain::codes::{InvitationState, Mode, Verdict};
use crate::domain::ids::{InvitationId, ResponseId, WaveId};
use crate::domain::{Answer, Circumstances, Response, Wave, judge};
use crate::store::anonymous::{TOKEN_SPENT, find_spent, insert_blind, take_token};
use crate::store::invitations::{QUOTA_FULL, has_quota, load_invitation};
use crate::store::responses::is_id_taken;

/// Bytes of the keyed hash at the end of a token.
const SEAL: usize = 32;

/// An answer for a token, decoded.
#[derive(Debug)]
pub(crate) struct BlindAnswer {
    pub(crate) wave: WaveId,
    pub(crate) response: ResponseId,
    pub(crate) token: Vec<u8>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) duration_s: Option<i64>,
}

/// What a token says.
struct Token {
    nonce: Vec<u8>,
    weight: i64,
    stratum: String,
}

impl App {
    /// Gives a household its token. Three trips.
    pub(crate) async fn take_blind_token(
        &self,
        access: &Access,
        wave: WaveId,
        invitation: InvitationId,
        nonce: &[u8],
    ) -> Result<(Vec<u8>, pb::QuestionnaireContent)> {
        for _ in 0..TRIES {
            let before = load_invitation(self.db.pool(), &access.scope, invitation).await?;
            if before.wave_id != wave {
                return Err(Error::not_found("invitation", invitation));
            }
            let wave = self.wave_of(&before).await?;
            wave.must_be_anonymous(true)?;
            wave.must_be_open()?;
            let mark = self.marks.of(&format!("survey-token-taken/{}", wave.id), &hex::encode(nonce));
            let is_taken = before.state == InvitationState::Participated;
            if is_taken && before.token_mark.as_deref() != Some(mark.as_slice()) {
                let detail = "the household took its token already, for another nonce";
                let subject = format!("invitation {invitation}");
                return Err(WrongState::new("TOKEN_TAKEN", subject, before.state.as_str(), [""; 0], detail).into());
            }
            if is_taken || take_token(self.db.pool(), &before, &mark, self.clock.now()).await? {
                let token = Token { nonce: nonce.to_vec(), weight: before.weight, stratum: before.stratum.clone() };
                return Ok((self.sealed(&wave, &token), self.frozen(wave.version_id).await?.content.clone()));
            }
        }
        Err(Error::Stale { resource: "invitation" })
    }

    /// Takes an answer in for a token. Three trips, four for a repetition.
    pub(crate) async fn submit_blind(&self, access: &Access, new: BlindAnswer) -> Result<Verdict> {
        if new.response.as_uuid().get_version_num() != 4 {
            let detail = "must be a random UUID (version 4): others hold a time";
            return Err(Error::invalid("response_id", "RESPONSE_ID_NOT_RANDOM", detail));
        }
        // The caller is not a party to the answer: their estates are all that is looked at.
        let wave = self.wave_for_answer(access, new.wave).await?;
        wave.must_be_anonymous(true)?;
        let token = self.opened(&wave, &new.token)?;
        let mark = self.marks.of(&format!("survey-token-spent/{}", wave.id), &hex::encode(&token.nonce));
        let hash = digest::digest(&digest::SHA256, format!("{}{:?}", new.response, clear(&new.answers)).as_bytes());
        if let Some(verdict) = self.spent(&wave, &mark, &new, hash.as_ref()).await? {
            return Ok(verdict);
        }
        wave.must_be_open()?;
        let frozen = self.frozen(wave.version_id).await?;
        let walk = walked(&frozen, &new.answers)?;
        let rules = self.rules.of_wave(&wave).await?;
        let terms = rules.terms(&wave.programme_code);
        let about = Circumstances { duration_s: new.duration_s, ..Circumstances::default() };
        let (mut verdict, findings) = judge(&frozen.rules, &new.answers, &walk, &about, &terms.validity);
        let has_quota = has_quota(self.db.pool(), wave.estate_id.as_uuid(), wave.id, &token.stratum).await?;
        let day = day_of(self.clock.now(), &rules.zone);
        for _ in 0..TRIES {
            let response = Response {
                id: new.response,
                estate_id: wave.estate_id,
                wave_id: wave.id,
                invitation_id: None,
                household_id: None,
                customer_id: None,
                mode: Mode::Online,
                answers: new.answers.clone(),
                verdict,
                findings: findings.clone(),
                stratum: token.stratum.clone(),
                weight: token.weight,
                revision: 1,
                enterer: None,
                source_ref: None,
                entry_check: None,
                start_time: None,
                occur_time: day,
                receive_time: day,
                device_mark: None,
                row_version: 1,
            };
            let filled = i32::from(has_quota && occupies(verdict));
            match insert_blind(self.db.pool(), &self.cipher, &response, &mark, hash.as_ref(), filled).await? {
                Ok(()) => {
                    // No fact is published that could be heard of.
                    self.rollups.hint();
                    return Ok(verdict);
                }
                Err(error) => match constraint(&error) {
                    Some(QUOTA_FULL) => verdict = Verdict::OverQuota,
                    // By the same answer, sent twice at once, or by another one.
                    Some(TOKEN_SPENT) => return self.spent(&wave, &mark, &new, hash.as_ref()).await?.ok_or_else(used),
                    Some(name) if is_id_taken(name) => {
                        let taken =
                            || Error::already_exists("response", "RESPONSE_ID_TAKEN", "the response id belongs to another response");
                        return self.spent(&wave, &mark, &new, hash.as_ref()).await?.ok_or_else(taken);
                    }
                    _ => return Err(store_error(error)),
                },
            }
        }
        Err(Error::Stale { resource: "quota" })
    }

    /// What became of the token: the verdict of the same answer, if it came before. One trip.
    async fn spent(&self, wave: &Wave, mark: &[u8; 32], new: &BlindAnswer, hash: &[u8]) -> Result<Option<Verdict>> {
        match find_spent(self.db.pool(), wave, mark).await? {
            None => Ok(None),
            Some((response, spent_for, verdict)) if response == new.response.as_uuid() && spent_for == hash => {
                Verdict::parse(&verdict).map(Some).ok_or_else(|| Error::bug("a response has no such verdict"))
            }
            Some(_) => Err(used()),
        }
    }

    fn sealed(&self, wave: &Wave, token: &Token) -> Vec<u8> {
        let mut bytes = vec![u8::try_from(token.nonce.len()).unwrap_or(u8::MAX)];
        bytes.extend_from_slice(&token.nonce);
        bytes.extend_from_slice(&token.weight.to_be_bytes());
        bytes.extend_from_slice(token.stratum.as_bytes());
        let seal = self.seal(wave, &bytes);
        bytes.extend_from_slice(&seal);
        bytes
    }

    fn opened(&self, wave: &Wave, bytes: &[u8]) -> Result<Token> {
        let invalid = || Error::invalid("token", "TOKEN_INVALID", "must be a token that this wave gave out");
        let (said, seal) = bytes.split_at_checked(bytes.len().saturating_sub(SEAL)).ok_or_else(invalid)?;
        constant_time::verify_slices_are_equal(&self.seal(wave, said), seal).map_err(|_| invalid())?;
        let (length, rest) = said.split_first().ok_or_else(invalid)?;
        let (nonce, rest) = rest.split_at_checked(usize::from(*length)).ok_or_else(invalid)?;
        let (weight, stratum) = rest.split_at_checked(size_of::<i64>()).ok_or_else(invalid)?;
        let weight = i64::from_be_bytes(weight.try_into().map_err(|_| invalid())?);
        let stratum = String::from_utf8(stratum.to_vec()).map_err(|_| invalid())?;
        Ok(Token { nonce: nonce.to_vec(), weight, stratum })
    }

    fn seal(&self, wave: &Wave, bytes: &[u8]) -> [u8; SEAL] {
        self.marks.of(&format!("survey-token/{}", wave.id), &hex::encode(bytes))
    }
}

fn used() -> Error {
    Error::already_exists("response", "TOKEN_USED", "the token has been answered for")
}

/// The start of the local day: the time of day could lead to whoever took a token a minute ago.
pub(super) fn day_of(now: Timestamp, zone: &jiff::tz::TimeZone) -> Timestamp {
    zone.to_datetime(now).date().to_zoned(zone.clone()).map_or(now, |day| day.timestamp())
}

/// Answers with their texts, which do not print, for the hash that recognises a repetition.
fn clear(answers: &[Answer]) -> Vec<(String, String)> {
    let text = |answer: &Answer| {
        if let crate::domain::Value::Text { text } = &answer.value { text.expose().clone() } else { format!("{:?}", answer.value) }
    };
    answers.iter().map(|answer| (answer.question.clone(), text(answer))).collect()
}
