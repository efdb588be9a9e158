//! The contact policy of an estate: what ships, overlaid by the versions of base, group, region and estate.

use jiff::Timestamp;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::plan::code_of;
use steward_kit::{Error, Result};
use steward_kit_store::Db;
use steward_kit_store::policy::{PolicyRules, PolicyStore, PolicyVersion, Surroundings, document};
use steward_proto::plan::v1::PolicyKind;
use steward_proto::plan::v1::policy_document::Document as Stored;

use crate::contact_document::{Document, read};

/// Contact policies by estate.
#[derive(Debug)]
pub(super) struct ContactPolicies {
    store: PolicyStore,
    base: Document,
}

impl ContactPolicies {
    pub(super) fn new(db: Db, base: Document) -> Self {
        Self { store: PolicyStore::new(db), base }
    }

    /// What holds for an estate. From memory unless it is behind.
    pub(super) async fn of(&self, estate: EstateId, at: Timestamp) -> Result<Document> {
        let resolved = self.store.resolve(code_of(PolicyKind::Contact), estate, at).await?;
        let mut whole = self.base.clone();
        for version in resolved.layers.iter().rev() {
            whole = whole.overlaid(layer(version)?);
        }
        Ok(whole)
    }
}

fn layer(version: &PolicyVersion) -> Result<Document> {
    let Stored::Contact(stored) = document(version)? else { return Err(Error::bug("a contact policy that is none")) };
    let mut bad = Violations::new();
    let read = read(&mut bad, "document.contact", &stored);
    if bad.is_empty() { Ok(read) } else { Err(Error::bug(format_args!("policy version {} does not read: {bad}", version.id))) }
}

/// What this service says about the documents that it owns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContactRules;

impl PolicyRules for ContactRules {
    fn kinds(&self) -> &'static [PolicyKind] {
        &[PolicyKind::Contact]
    }

    fn check(&self, bad: &mut Violations, at: &str, document: &Stored, _around: &Surroundings) -> Result<()> {
        let Stored::Contact(contact) = document else { return Err(Error::bug("a document of another service")) };
        read(bad, at, contact);
        Ok(())
    }
}
