//! Reading policies: versions of a scope, and what holds for an estate.

use steward_kit::Result;
use steward_kit::auth::Access;
use steward_kit::ids::EstateId;
use steward_kit::paging::PageRequest;
use steward_kit_store::policy::{PolicyLayer, PolicyScope};

use super::{App, PolicyKind};

impl App {
    /// Versions of one kind in one scope, newest first, one more than the page shows. One trip.
    pub(crate) async fn list_policy_versions(
        &self,
        access: &Access,
        kind: PolicyKind,
        scope: PolicyScope,
        page: &PageRequest<i64>,
    ) -> Result<Vec<PolicyLayer>> {
        if let PolicyScope::Estate(estate) = scope {
            access.scope.estate(estate)?;
        }
        self.rules.policies.versions(kind.as_str(), scope, page.after, page.size.limit()).await
    }

    /// The layers in force for an estate now, most specific first. From memory.
    pub(crate) async fn resolve_policy(&self, access: &Access, kind: PolicyKind, estate: EstateId) -> Result<Vec<PolicyLayer>> {
        access.scope.estate(estate)?;
        let resolved = self.rules.policies.resolve(kind.as_str(), estate, self.clock.now()).await?;
        Ok(resolved.layers.to_vec())
    }
}
