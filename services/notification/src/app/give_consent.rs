//! A customer agrees to one purpose over one channel (NT-24).

use jiff::{SignedDuration, Timestamp};
use prost::Message;
use steward_kit::ids::CustomerId;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::App;
use super::transact::Call;
use crate::domain::codes::{Channel, ConsentMethod, Language, Purpose};
use crate::domain::consent::Consent;
use crate::domain::ids::ConsentId;
use crate::events::publish;
use crate::store::consents::insert_consent;
use crate::store::customers::is_in_scope;

/// Clocks of callers may be ahead of ours by this much.
const AHEAD: SignedDuration = SignedDuration::from_secs(30);

/// What a caller recorded.
#[derive(Debug)]
pub(crate) struct NewConsent {
    pub(crate) customer: CustomerId,
    pub(crate) purpose: Purpose,
    pub(crate) channel: Channel,
    pub(crate) text_version: String,
    pub(crate) language: Language,
    pub(crate) method: ConsentMethod,
    pub(crate) reference: String,
    pub(crate) give_time: Option<Timestamp>,
}

impl App {
    /// Refuses a customer outside the caller's scope as if there were none. One trip.
    pub(crate) async fn customer_in_scope(&self, access: &steward_kit::auth::Access, customer: CustomerId) -> Result<()> {
        let found = is_in_scope(self.db.pool(), &access.scope, customer).await?;
        if found { Ok(()) } else { Err(Error::not_found("customer", customer)) }
    }

    /// Records a consent. Two trips.
    pub(crate) async fn give_consent<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewConsent,
        answer: impl Fn(&Consent) -> R,
    ) -> Result<R> {
        self.customer_in_scope(call.access, new.customer).await?;
        let now = self.clock.now();
        let give_time = new.give_time.unwrap_or(now);
        if give_time.duration_since(now) > AHEAD {
            return Err(Error::invalid("give_time", "TIME_NOT_PLAUSIBLE", "must not lie in the future"));
        }
        let consent = Consent {
            id: ConsentId::new(),
            customer_id: new.customer,
            purpose: new.purpose,
            channel: new.channel,
            text_version: new.text_version,
            language: new.language,
            method: new.method,
            reference: new.reference,
            actor: call.actor(),
            give_time,
            withdraw_time: None,
            row_version: 1,
        };
        let response = answer(&consent);
        let effects = Effects { claim: call.claim(&response), events: vec![publish::consent_given(&consent, now)], timers: Vec::new() };
        match insert_consent(self.db.pool(), &consent, &effects, now).await {
            Ok(()) => {
                self.db.wake(&effects);
                Ok(response)
            }
            Err(error) => self.failed(call, error).await,
        }
    }
}
