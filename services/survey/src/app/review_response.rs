//! Somebody decides about a response that is held (SV-48, SV-49).

use prost::Message;
use steward_kit::{Error, Result};

use super::App;
use super::submit_response::occupies;
use super::transact::{Call, Follows, TRIES, Target, or_repeated};
use crate::domain::codes::Verdict;
use crate::domain::{Response, Wave};
use crate::events::publish;
use crate::store::invitations::{has_quota, load_invitation};
use crate::store::responses::{Consequences, load_response, save_response};

impl App {
    /// Decides about a response. Four trips, five of a standing wave.
    pub(crate) async fn review_response<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        accept: bool,
        reason: &str,
        answer: impl Fn(&Response) -> A,
    ) -> Result<A> {
        for _ in 0..TRIES {
            let id = target.id.into();
            let before = or_repeated!(self, call, load_response(self.db.pool(), &self.cipher, &call.access.scope, id).await);
            if target.etag.is_some_and(|seen| seen != before.row_version) {
                break;
            }
            let after = Response { revision: before.revision + 1, ..or_repeated!(self, call, before.review(accept, reason)) };
            let wave: Wave = self.load(call.access, before.wave_id).await?;
            let frozen = self.frozen(wave.version_id).await?;
            let now = self.clock.now();
            let events = if after.verdict == Verdict::Valid && !wave.design.is_anonymous {
                let about = match after.invitation_id.filter(|_| wave.is_standing) {
                    Some(invitation) => load_invitation(self.db.pool(), &call.access.scope, invitation).await?.subject,
                    None => None,
                };
                vec![publish::response_accepted(&wave, &frozen.rules, &after, about.as_ref(), now)]
            } else {
                Vec::new()
            };
            let reply = answer(&Response { row_version: before.row_version + 1, ..after.clone() });
            let effects = self.effects(call, &reply, Follows { events, timers: Vec::new() });
            let freed = occupies(before.verdict) && !occupies(after.verdict);
            let has_quota = freed && has_quota(self.db.pool(), wave.estate_id.as_uuid(), wave.id, &after.stratum).await?;
            let then = Consequences { occupies: occupies(after.verdict), filled: -i32::from(has_quota), ..Consequences::default() };
            let author = call.access.principal.subject.as_str();
            match save_response(self.db.pool(), &self.cipher, &after, occupies(before.verdict), &then, author, &effects, now).await? {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(reply);
                }
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "response" }).await
    }
}
