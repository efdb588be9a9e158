//! A message that waited is judged anew: consent may be gone, preferences may have changed.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::auth::Scope;
use steward_kit::ids::MessageId;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::App;
use crate::domain::judge::Circumstances;
use crate::domain::plan::plan;
use crate::events::publish;
use crate::store::customers::load_facts;
use crate::store::messages::{load_message, settle_message};

impl App {
    /// Judges a message whose time has come, on the transaction of its timer, whose row is locked. Three trips.
    pub(crate) async fn settle_message(&self, tx: &mut PgConnection, id: MessageId, now: Timestamp) -> Result<Effects> {
        let message = match load_message(&mut *tx, &Scope::system("a message's time has come"), id).await {
            Ok(message) if publish::is_waiting(message.state) => message,
            // It went another way meanwhile.
            Ok(_) | Err(Error::NotFound { .. }) => return Ok(Effects::none()),
            Err(error) => return Err(error),
        };
        let customer = match message.recipient.customer() {
            Some(customer) => Some(load_facts(&mut *tx, customer).await?),
            None => None,
        };
        let place = self.place(message.estate_id, now).await?;
        let mut rule = place.rule(message.class)?.clone();
        rule.channels.retain(|channel| message.content.texts.contains_key(channel));
        let planned = plan(message, &Circumstances { zone: place.estate.zone()?, rule, customer }, Vec::new(), now);
        if !settle_message(tx, &planned).await? {
            return Err(Error::unavailable("postgres", anyhow::anyhow!("the message changed while it was judged")));
        }
        self.wakes.inbox();
        Ok(publish::of_planned(&planned, now))
    }
}
