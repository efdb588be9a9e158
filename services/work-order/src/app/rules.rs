//! What an estate goes by: its policies, its calendars, its zone. From memory, with the epoch that proves it was true.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use steward_kit::calendar::{Calendars, RegionKey};
use steward_kit::error::Violations;
use steward_kit::ids::{EstateId, RegionId};
use steward_kit::{Error, Result};
use steward_kit_store::calendars::CalendarStore;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::policy::{PolicyScope, PolicyStore, PolicyVersion};
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::policy_document::Document;
use uuid::Uuid;

use super::policy_documents::{PolicyKind, callback, intake, sla};
use crate::domain::{CallbackPolicy, Context, IntakePolicy, Layer, Policies, PolicySource, ScopeLevel, SlaPolicy};

/// The rules of every estate. Memory only: a write compares the epoch in its own statement.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) policies: PolicyStore,
    pub(crate) calendars: CalendarStore,
    pub(crate) estates: EstateDirectory,
    /// Documents as the domain reads them, by version. Versions never change.
    documents: RwLock<HashMap<Uuid, Read>>,
}

/// A document as the domain reads it.
#[derive(Clone, Debug)]
enum Read {
    Intake(Arc<IntakePolicy>),
    Sla(Arc<SlaPolicy>),
    Callback(Arc<CallbackPolicy>),
}

/// The rules of one estate at one time.
#[derive(Clone, Debug)]
pub(crate) struct EstateRules {
    policies: Policies,
    calendars: Calendars,
    zone: TimeZone,
    /// What the rules were true at, for the guard of the write.
    pub(crate) epoch: i64,
}

impl EstateRules {
    /// What the domain decides with.
    pub(crate) fn context(&self) -> Context<'_> {
        Context { policies: &self.policies, calendars: &self.calendars, zone: &self.zone }
    }

    /// The calendar year of an instant in the estate.
    pub(crate) fn year(&self, at: Timestamp) -> i16 {
        self.zone.to_datetime(at).year()
    }
}

impl Rules {
    pub(crate) fn new(policies: PolicyStore, calendars: CalendarStore, estates: EstateDirectory) -> Self {
        Self { policies, calendars, estates, documents: RwLock::default() }
    }

    /// The rules of an estate that were in force at `at`.
    ///
    /// # Errors
    /// `NotFound` when no such estate is known.
    pub(crate) async fn of(&self, estate: EstateId, at: Timestamp) -> Result<EstateRules> {
        let mut policies = Policies::default();
        let mut epoch = i64::MAX;
        for kind in [PolicyKind::Intake, PolicyKind::Sla, PolicyKind::Callback] {
            let resolved = self.policies.resolve(kind.as_str(), estate, at).await?;
            epoch = epoch.min(resolved.epoch);
            for version in resolved.layers.iter() {
                self.lay(&mut policies, version)?;
            }
        }
        // Asked after the policies, so that neither of them is older than the epoch.
        let estate = self.estates.get(estate).await?;
        let (calendars, at_epoch) = self.calendars_of(estate.region_id).await?;
        Ok(EstateRules { policies, calendars, zone: estate.zone()?, epoch: epoch.min(at_epoch) })
    }

    /// The calendars as a region sees them, and the epoch they were true at.
    pub(crate) async fn calendars_of(&self, region: RegionId) -> Result<(Calendars, i64)> {
        let current = self.calendars.current().await?;
        let region: RegionKey = region.to_string().parse().map_err(Error::internal)?;
        Ok((current.calendars.for_region(Some(region)), current.epoch))
    }

    /// The document of a version, laid into `policies`.
    pub(crate) fn lay(&self, policies: &mut Policies, version: &PolicyVersion) -> Result<()> {
        let source = source(version)?;
        match self.read(version)? {
            Read::Intake(document) => policies.intake.push(Layer { source, document }),
            Read::Sla(document) => policies.sla.push(Layer { source, document }),
            Read::Callback(document) => policies.callback.push(Layer { source, document }),
        }
        Ok(())
    }

    fn read(&self, version: &PolicyVersion) -> Result<Read> {
        let known = self.documents.read().unwrap_or_else(PoisonError::into_inner).get(&version.id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let read = read_document(&stored(version)?.document)?;
        self.documents.write().unwrap_or_else(PoisonError::into_inner).insert(version.id, read.clone());
        Ok(read)
    }
}

/// What is stored of a version: the part of its message that the columns do not say.
pub(crate) fn stored(version: &PolicyVersion) -> Result<pb::PolicyVersion> {
    version.decode()
}

fn read_document(document: &Option<pb::PolicyDocument>) -> Result<Read> {
    let document = document.as_ref().and_then(|document| document.document.as_ref());
    let mut bad = Violations::new();
    let read = match document {
        Some(Document::Intake(policy)) => intake(&mut bad, "intake", policy).map(|policy| Read::Intake(policy.into())),
        Some(Document::Sla(policy)) => sla(&mut bad, "sla", policy).map(|policy| Read::Sla(policy.into())),
        Some(Document::Callback(policy)) => callback(&mut bad, "callback", policy).map(|policy| Read::Callback(policy.into())),
        None => None,
    };
    // It was checked when it came in: a stored document that does not read is our fault.
    read.ok_or_else(|| Error::bug(format_args!("a stored policy document does not read: {bad}")))
}

fn source(version: &PolicyVersion) -> Result<PolicySource> {
    let scope = match version.scope {
        PolicyScope::Base => ScopeLevel::Base,
        PolicyScope::Group(_) => ScopeLevel::Group,
        PolicyScope::Region(_) => ScopeLevel::Region,
        PolicyScope::Estate(_) => ScopeLevel::Estate,
    };
    Ok(PolicySource { version_id: version.id.into(), scope, version: u32::try_from(version.version).map_err(Error::internal)? })
}
