//! Approval: a version becomes the one that sends, the one before is retired (NT-23).

use prost::Message;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::App;
use super::transact::{Call, TRIES, Target};
use crate::domain::ids::TemplateVersionId;
use crate::domain::template::TemplateVersion;
use crate::store::templates::{activate_version, load_version};

impl App {
    /// Activates a version. Two trips.
    pub(crate) async fn activate_template_version<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target<TemplateVersionId>,
        answer: impl Fn(&TemplateVersion) -> R,
    ) -> Result<R> {
        call.for_every_estate()?;
        for _ in 0..TRIES {
            let mut version = load_version(self.db.pool(), target.id).await?;
            let before = version.row_version;
            if target.is_stale(before) {
                break;
            }
            let now = self.clock.now();
            if let Err(refusal) = version.activate(call.actor(), now) {
                return self.unless_repeated(call, refusal.into()).await;
            }
            let response = answer(&version);
            let effects = Effects { claim: call.claim(&response), ..Effects::none() };
            match activate_version(self.db.pool(), &version, before, &effects, now).await {
                Ok(true) => return Ok(response),
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "template version" }).await
    }
}
