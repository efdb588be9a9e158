//! Templates and rules that ship with the product, installed where none of their name is.

use steward_kit::Result;
use steward_kit_store::{Effects, StoreResult};

use super::App;
use crate::domain::codes::{Actor, ActorKind, TemplateState};
use crate::domain::ids::{RoutingRuleId, TemplateVersionId};
use crate::domain::routing::RoutingRule;
use crate::domain::template::TemplateVersion;
use crate::store::rules::insert_shipped;
use crate::store::templates::{insert_version, next_version};

impl App {
    /// Installs what is missing. Several replicas may do so at once: names are unique.
    pub(crate) async fn install_shipped(&self) -> Result<()> {
        let now = self.clock.now();
        let product = Actor { kind: ActorKind::Service, subject: "service.notification/shipped".to_owned() };
        for shipped in &self.shipped.templates {
            if next_version(self.db.pool(), &shipped.key).await? > 1 {
                continue;
            }
            let version = TemplateVersion {
                id: TemplateVersionId::new(),
                key: shipped.key.clone(),
                version: 1,
                class: shipped.class,
                state: TemplateState::Active,
                texts: shipped.texts.clone(),
                variables: shipped.variables.clone(),
                author: product.clone(),
                approver: Some(product.clone()),
                row_version: 1,
                create_time: now,
                activate_time: Some(now),
            };
            if insert_version(self.db.pool(), &version, &Effects::none(), now).await.store()? {
                tracing::info!(template = version.key, "shipped template installed");
            }
        }
        for shipped in &self.shipped.rules {
            let rule = RoutingRule {
                id: RoutingRuleId::new(),
                code: shipped.code.clone(),
                estate_id: None,
                event_type: shipped.event_type.clone(),
                template_key: shipped.template_key.clone(),
                document: shipped.document.clone(),
                row_version: 1,
                create_time: now,
            };
            if insert_shipped(self.db.pool(), &rule, now).await? {
                tracing::info!(rule = rule.code, "shipped routing rule installed");
            }
        }
        Ok(())
    }
}
