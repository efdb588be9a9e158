//! What a customer wants of messages.

use std::collections::BTreeMap;

use prost::Message;
use steward_kit::ids::CustomerId;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::App;
use super::transact::{Call, TRIES, Target};
use crate::domain::codes::{Channel, Class, Language};
use crate::domain::preference::{Preferences, QuietHours};
use crate::store::preferences::{load_preferences, save_preferences};

/// The fields meant, with their new values.
#[derive(Clone, Debug, Default)]
pub(crate) struct PreferenceChange {
    pub(crate) language: Option<Option<Language>>,
    pub(crate) classes: Option<BTreeMap<Class, Vec<Channel>>>,
    pub(crate) quiet_hours: Option<Option<QuietHours>>,
}

impl App {
    /// Changes preferences. Three trips. Messages that wait are judged anew when their time comes.
    pub(crate) async fn update_preferences<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target<CustomerId>,
        change: PreferenceChange,
        answer: impl Fn(&Preferences) -> R,
    ) -> Result<R> {
        self.customer_in_scope(call.access, target.id).await?;
        for _ in 0..TRIES {
            let mut preferences = load_preferences(self.db.pool(), target.id).await?;
            let before = preferences.row_version;
            if target.is_stale(before) {
                break;
            }
            let now = self.clock.now();
            let change = change.clone();
            preferences.language = change.language.unwrap_or(preferences.language);
            preferences.classes = change.classes.unwrap_or(preferences.classes);
            preferences.quiet_hours = change.quiet_hours.unwrap_or(preferences.quiet_hours);
            preferences.row_version += 1;
            preferences.update_time = Some(now);
            let response = answer(&preferences);
            let effects = Effects { claim: call.claim(&response), ..Effects::none() };
            match save_preferences(self.db.pool(), &preferences, before, &effects, now).await {
                Ok(true) => return Ok(response),
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "preferences" }).await
    }
}
