//! What a customer answered to a message; stop means stop, from that instant (NT-25).

use prost::Message;
use steward_kit::ids::{CustomerId, EstateId};
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::App;
use super::transact::{Call, TRIES};
use crate::domain::consent::Consent;
use crate::events::publish;
use crate::store::consents::{load_holding_any, withdraw_consents};

impl App {
    /// Records a reply; one that says stop withdraws what the policy names, on every channel. Three trips. The words are not
    /// kept.
    pub(crate) async fn record_inbound_reply<R: Message + Default>(
        &self,
        call: &Call<'_>,
        (estate, customer): (EstateId, CustomerId),
        text: &str,
        answer: impl Fn(bool, &[Consent]) -> R,
    ) -> Result<R> {
        let estate = call.access.scope.estate(estate)?.id();
        self.customer_in_scope(call.access, customer).await?;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let place = self.place(estate, now).await?;
            let opt_out = place.policy.opt_out.as_ref().filter(|opt_out| opt_out.is_stop(text));
            let mut consents = match opt_out {
                Some(opt_out) => load_holding_any(self.db.pool(), customer, &opt_out.purposes).await?,
                None => Vec::new(),
            };
            for consent in &mut consents {
                consent.withdraw_time = Some(now);
                consent.row_version += 1;
            }
            let response = answer(opt_out.is_some(), &consents);
            let events = consents.iter().map(|consent| publish::consent_withdrawn(consent, now)).collect();
            let effects = Effects { claim: call.claim(&response), events, timers: Vec::new() };
            match withdraw_consents(self.db.pool(), &consents, &effects, now).await {
                Ok(true) => {
                    self.db.wake(&effects);
                    return Ok(response);
                }
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "consent" }).await
    }
}
