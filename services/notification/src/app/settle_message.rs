//! A message whose time or turn has come is judged: consent may be gone, preferences changed, caps reached.

use steward_kit::auth::Scope;
use steward_kit::ids::MessageId;
use steward_kit::{Error, Result};
use steward_kit_store::store_error;

use super::App;
use super::judge_message::{LEDGER_TRIES, contended, own_changes};
use crate::events::publish;
use crate::store::contacts::is_contended;
use crate::store::customers::load_facts;
use crate::store::messages::{load_message, settle_message};

impl App {
    /// Judges a message that waits and writes what becomes of it. Three to four trips; again when others counted contacts
    /// with the same people meanwhile. Its timer is set for the end of a lease before, so a process that dies here leaves
    /// the message to the next one.
    pub(crate) async fn settle_message(&self, id: MessageId) -> Result<()> {
        for _ in 0..LEDGER_TRIES {
            let now = self.clock.now();
            let message = match load_message(self.db.pool(), &Scope::system("a message's time has come"), id).await {
                Ok(message) if message.is_waiting() && message.defer_until.is_none_or(|until| until <= now) => message,
                // It went another way meanwhile, or was put off again.
                Ok(_) | Err(Error::NotFound { .. }) => return Ok(()),
                Err(error) => return Err(error),
            };
            let customer = match message.recipient.customer() {
                Some(customer) => Some(load_facts(self.db.pool(), customer).await?),
                None => None,
            };
            let place = self.place(message.estate_id, now).await?;
            let planned = self.judge_message(&place, message, customer, Vec::new(), now).await?;
            let effects = publish::of_settled(&planned, now);
            match settle_message(self.db.pool(), &planned, own_changes(&planned.ledger), &effects, now).await {
                Ok(true) => {
                    self.db.wake(&effects);
                    self.wakes.inbox();
                    return Ok(());
                }
                // The row changed under us: look again.
                Ok(false) => {}
                Err(error) if is_contended(&error) => {}
                Err(error) => return Err(store_error(error)),
            }
        }
        Err(contended())
    }
}
