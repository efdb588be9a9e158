//! A new version of a template; a draft until activated (NT-23).

use prost::Message;
use steward_kit::error::Violations;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;

use super::App;
use super::transact::{Call, TRIES};
use crate::domain::codes::{Class, TemplateState};
use crate::domain::ids::TemplateVersionId;
use crate::domain::template::{TemplateText, TemplateVersion, Variable, check};
use crate::store::templates::{insert_version, next_version};

/// What a caller wrote.
#[derive(Debug)]
pub(crate) struct NewTemplate {
    pub(crate) key: String,
    pub(crate) class: Class,
    pub(crate) texts: Vec<TemplateText>,
    pub(crate) variables: Vec<Variable>,
}

impl App {
    /// Checks and adds a version. Two trips: the next number, and the row with its claim.
    pub(crate) async fn create_template_version<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewTemplate,
        answer: impl Fn(&TemplateVersion) -> R,
    ) -> Result<R> {
        call.for_every_estate()?;
        let mut bad = Violations::new();
        check(&new.texts, &new.variables, &mut bad);
        bad.finish()?;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let version = TemplateVersion {
                id: TemplateVersionId::new(),
                key: new.key.clone(),
                version: next_version(self.db.pool(), &new.key).await?,
                class: new.class,
                state: TemplateState::Draft,
                texts: new.texts.clone(),
                variables: new.variables.clone(),
                author: call.actor(),
                approver: None,
                row_version: 1,
                create_time: now,
                activate_time: None,
            };
            let response = answer(&version);
            let effects = Effects { claim: call.claim(&response), ..Effects::none() };
            match insert_version(self.db.pool(), &version, &effects, now).await {
                Ok(true) => return Ok(response),
                Ok(false) => {}
                Err(error) => return self.failed(call, error).await,
            }
        }
        self.unless_repeated(call, Error::Stale { resource: "template" }).await
    }

    /// One version. One trip.
    pub(crate) async fn template_version(&self, id: TemplateVersionId) -> Result<TemplateVersion> {
        crate::store::templates::load_version(self.db.pool(), id).await
    }

    /// The active version of a key.
    ///
    /// # Errors
    /// There is none: only approved versions send (NT-23).
    pub(super) async fn active_template(&self, key: &str) -> Result<TemplateVersion> {
        let found = crate::store::templates::load_active(self.db.pool(), &[key.to_owned()]).await?;
        let allowed = ["activate"];
        found.into_iter().next().ok_or_else(|| {
            let detail = "the template has no active version; only an approved one sends";
            steward_kit::error::WrongState::new("TEMPLATE_NOT_ACTIVE", format!("template {key}"), "not_active", allowed, detail).into()
        })
    }
}
