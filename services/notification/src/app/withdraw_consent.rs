//! Consent is withdrawn as easily as it was given, and from that instant (NT-24).

use prost::Message;
use steward_kit::ids::CustomerId;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::App;
use super::transact::{Call, TRIES};
use crate::domain::codes::{Channel, Purpose};
use crate::domain::consent::Consent;
use crate::events::publish;
use crate::store::consents::{load_holding, withdraw_consents};

impl App {
    /// Withdraws what holds. Three trips. Messages that wait are judged anew when their time comes, deliveries before each
    /// attempt, so nothing has to be searched for here.
    pub(crate) async fn withdraw_consent<R: Message + Default>(
        &self,
        call: &Call<'_>,
        customer: CustomerId,
        purpose: Purpose,
        channel: Option<Channel>,
        answer: impl Fn(&[Consent]) -> R,
    ) -> Result<R> {
        self.customer_in_scope(call.access, customer).await?;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let mut consents = load_holding(self.db.pool(), customer, purpose, channel).await?;
            if consents.is_empty()
                && let Ok(stored) = self.unless_repeated::<R>(call, Error::bug("not repeated")).await
            {
                return Ok(stored);
            }
            for consent in &mut consents {
                consent.withdraw_time = Some(now);
                consent.row_version += 1;
            }
            let response = answer(&consents);
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
