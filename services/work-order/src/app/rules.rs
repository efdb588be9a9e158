//! What an estate goes by: its policies, its calendars, its zone. From memory, with the epoch that proves it was true.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use steward_kit::calendar::Calendars;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::plan::{code_of, kind_of};
use steward_kit::{Error, Result};
use steward_kit_store::calendars::CalendarStore;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::policy::{PolicyScope, PolicyStore, PolicyVersion, document};
use steward_proto::plan::v1::policy_document::Document;
use uuid::Uuid;

use super::policy_documents::{KINDS, callback, intake, sla};
use crate::domain::{CallbackPolicy, Context, IntakePolicy, Layer, NO_LINES, Policies, PolicySource, ScopeLevel, SlaPolicy};

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
pub(super) enum Read {
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
        Context { policies: &self.policies, calendars: &self.calendars, zone: &self.zone, lines: &NO_LINES, taker: None }
    }

    /// The same rules by other calendars, for a preview.
    pub(super) fn change_calendars(&mut self, change: impl FnOnce(&Calendars) -> Calendars) {
        self.calendars = change(&self.calendars);
    }

    /// Without the estate's own layer of a document's kind, for a preview of another.
    pub(super) fn drop_own(&mut self, document: &Document) {
        fn drop_from<D>(layers: &mut Vec<Layer<D>>) {
            layers.retain(|layer| layer.source.scope != ScopeLevel::Estate);
        }
        match document {
            Document::Intake(_) => drop_from(&mut self.policies.intake),
            Document::Sla(_) => drop_from(&mut self.policies.sla),
            Document::Callback(_) => drop_from(&mut self.policies.callback),
            Document::Survey(_) | Document::Care(_) | Document::Contact(_) | Document::Metrics(_) => {}
        }
    }

    /// A layer over all others, for a preview.
    pub(super) fn lay_first(&mut self, layer: ReadLayer) {
        let mut first = Policies::default();
        layer.lay(&mut first);
        self.policies.intake.splice(0..0, first.intake);
        self.policies.sla.splice(0..0, first.sla);
        self.policies.callback.splice(0..0, first.callback);
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
        for kind in KINDS {
            let resolved = self.policies.resolve(code_of(kind), estate, at).await?;
            epoch = epoch.min(resolved.epoch);
            for version in resolved.layers.iter() {
                layer_of(version, self.read(version)?)?.lay(&mut policies);
            }
        }
        // Asked after the policies, so that neither of them is older than the epoch.
        let estate = self.estates.get(estate).await?;
        let current = self.calendars.for_estate(&estate).await?;
        Ok(EstateRules { policies, calendars: current.calendars, zone: estate.zone()?, epoch: epoch.min(current.epoch) })
    }

    fn read(&self, version: &PolicyVersion) -> Result<Read> {
        let known = self.documents.read().unwrap_or_else(PoisonError::into_inner).get(&version.id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let read = Read::of(version)?;
        self.documents.write().unwrap_or_else(PoisonError::into_inner).insert(version.id, read.clone());
        Ok(read)
    }
}

impl Read {
    /// The document of a version.
    pub(super) fn of(version: &PolicyVersion) -> Result<Self> {
        let mut bad = Violations::new();
        let document = document(version)?;
        let read = match &document {
            Document::Intake(policy) => intake(&mut bad, "intake", policy).map(|policy| Self::Intake(policy.into())),
            Document::Sla(policy) => sla(&mut bad, "sla", policy).map(|policy| Self::Sla(policy.into())),
            Document::Callback(policy) => callback(&mut bad, "callback", policy).map(|policy| Self::Callback(policy.into())),
            Document::Survey(_) | Document::Care(_) | Document::Contact(_) | Document::Metrics(_) => None,
        };
        // It was checked when it came in: a stored document that does not read is our fault.
        let kind = code_of(kind_of(&document));
        read.ok_or_else(|| Error::bug(format_args!("a stored {kind} policy does not read: {bad}")))
    }
}

/// A document with where it came from.
pub(super) struct ReadLayer {
    source: PolicySource,
    read: Read,
}

impl ReadLayer {
    /// A document that is no version yet, of the estate.
    pub(super) fn proposed(read: Read) -> Self {
        Self { source: PolicySource { version_id: Uuid::nil().into(), scope: ScopeLevel::Estate, version: 0 }, read }
    }

    /// Lays it over what is there.
    pub(super) fn lay(self, policies: &mut Policies) {
        let source = self.source;
        match self.read {
            Read::Intake(document) => policies.intake.push(Layer { source, document }),
            Read::Sla(document) => policies.sla.push(Layer { source, document }),
            Read::Callback(document) => policies.callback.push(Layer { source, document }),
        }
    }
}

/// The layer that a version is.
pub(super) fn layer_of(version: &PolicyVersion, read: Read) -> Result<ReadLayer> {
    let scope = match version.scope {
        PolicyScope::Base => ScopeLevel::Base,
        PolicyScope::Group(_) => ScopeLevel::Group,
        PolicyScope::Region(_) => ScopeLevel::Region,
        PolicyScope::Estate(_) => ScopeLevel::Estate,
    };
    let number = u32::try_from(version.version).map_err(Error::internal)?;
    Ok(ReadLayer { source: PolicySource { version_id: version.id.into(), scope, version: number }, read })
}
