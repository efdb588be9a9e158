//! A rule is removed; messages that it made stay.

use prost::Message;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::App;
use super::transact::{Call, TRIES, Target};
use crate::domain::ids::RoutingRuleId;
use crate::store::rules::{delete_rule, load_rule};

impl App {
    /// Removes a rule. Two trips.
    pub(crate) async fn delete_routing_rule<R: Message + Default>(&self, call: &Call<'_>, target: Target<RoutingRuleId>) -> Result<R> {
        let scope = &call.access.scope;
        for _ in 0..TRIES {
            let rule = match load_rule(self.db.pool(), scope, target.id).await {
                Ok(rule) => rule,
                Err(refusal) => return self.unless_repeated(call, refusal).await,
            };
            if target.is_stale(rule.row_version) {
                break;
            }
            let now = self.clock.now();
            let effects = Effects { claim: call.claim(&R::default()), ..Effects::none() };
            match delete_rule(self.db.pool(), scope, &rule, &effects, now).await {
                Ok(true) => return Ok(R::default()),
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "routing rule" }).await
    }
}
