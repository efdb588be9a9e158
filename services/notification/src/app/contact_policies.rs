//! The contact policy of an estate: what ships, overlaid by the group's, the region's and the estate's own versions.

use jiff::Timestamp;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::Db;
use steward_kit_store::policy::PolicyStore;

use crate::domain::policy::{ContactLayer, ContactPolicy};

/// Kind of the documents in the policy store: JSON of [`ContactLayer`].
const KIND: &str = "contact";

/// Contact policies by estate.
#[derive(Debug)]
pub(super) struct ContactPolicies {
    store: PolicyStore,
    base: ContactPolicy,
}

impl ContactPolicies {
    pub(super) fn new(db: Db, base: ContactPolicy) -> Self {
        Self { store: PolicyStore::new(db), base }
    }

    /// What holds for an estate. From memory unless it is behind.
    pub(super) async fn of(&self, estate: EstateId, at: Timestamp) -> Result<ContactPolicy> {
        let resolved = self.store.resolve(KIND, estate, at).await?;
        let mut policy = self.base.clone();
        for version in resolved.layers.iter().rev() {
            let layer: ContactLayer = serde_json::from_slice(&version.document).map_err(Error::internal)?;
            policy = policy.overlaid(layer);
        }
        Ok(policy)
    }
}
