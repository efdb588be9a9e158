//! What an estate goes by: its care policy, its calendars, its zone. From memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use steward_kit::clock::Clock;
use steward_kit::ids::EstateId;
use steward_kit::plan::code_of;
use steward_kit::{Error, Result};
use steward_kit_store::calendars::CalendarStore;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::policy::{PolicyStore, PolicyVersion, document};
use steward_proto::plan::v1::policy_document::Document;
use steward_proto::plan::v1::{CarePolicy, PolicyKind};
use uuid::Uuid;

use crate::contract::terms;
use crate::domain::terms::{Rules, Terms};

/// The rules of every estate.
#[derive(Debug)]
pub(crate) struct RuleBook {
    pub(crate) estates: EstateDirectory,
    pub(crate) calendars: CalendarStore,
    policies: PolicyStore,
    clock: Clock,
    /// Terms by the versions that they are made of, which never change.
    merged: Mutex<HashMap<Vec<Uuid>, Arc<Terms>>>,
}

impl RuleBook {
    pub(crate) fn new(policies: PolicyStore, calendars: CalendarStore, estates: EstateDirectory, clock: Clock) -> Self {
        Self { estates, calendars, policies, clock, merged: Mutex::default() }
    }

    /// The rules of an estate now.
    ///
    /// # Errors
    /// `NotFound` when this service does not know the estate (yet).
    pub(crate) async fn now(&self, estate: EstateId) -> Result<Rules> {
        self.of(estate, self.clock.now()).await
    }

    /// The care policies of an estate at `at`, most specific first.
    ///
    /// # Errors
    /// `NotFound` when this service does not know the estate (yet).
    pub(crate) async fn layers(&self, estate: EstateId, at: Timestamp) -> Result<Vec<CarePolicy>> {
        let resolved = self.policies.resolve(code_of(PolicyKind::Care), estate, at).await?;
        resolved.layers.iter().map(|layer| care_policy(layer)).collect()
    }

    /// The rules of an estate at `at`.
    ///
    /// # Errors
    /// `NotFound` when this service does not know the estate (yet).
    pub(crate) async fn of(&self, estate: EstateId, at: Timestamp) -> Result<Rules> {
        let resolved = self.policies.resolve(code_of(PolicyKind::Care), estate, at).await?;
        let key: Vec<Uuid> = resolved.layers.iter().map(|layer| layer.id).collect();
        let known = self.merged.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let terms = match known {
            Some(known) => known,
            None => {
                let layers = resolved.layers.iter().map(|layer| care_policy(layer)).collect::<Result<Vec<_>>>()?;
                let terms = Arc::new(terms(&layers));
                self.merged.lock().unwrap_or_else(PoisonError::into_inner).insert(key, terms.clone());
                terms
            }
        };
        let estate = self.estates.get(estate).await?;
        let calendars = self.calendars.for_estate(&estate).await?.calendars;
        Ok(Rules { terms: Terms::clone(&terms), zone: estate.zone()?, calendars })
    }
}

fn care_policy(version: &PolicyVersion) -> Result<CarePolicy> {
    match document(version)? {
        Document::Care(policy) => Ok(policy),
        Document::Intake(_)
        | Document::Sla(_)
        | Document::Callback(_)
        | Document::Survey(_)
        | Document::Contact(_)
        | Document::Metrics(_) => Err(Error::bug("a care policy that is none")),
    }
}
