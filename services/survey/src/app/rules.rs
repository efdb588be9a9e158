//! What an estate goes by: its policy, its calendars, its zone, and the instruments its waves ask. From memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use prost::Message;
use sqlx::PgExecutor;
use steward_kit::calendar::{Calendars, RegionKey, Span};
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::calendars::CalendarStore;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::policy::{POLICY_INVALID, PolicyRules, PolicyStore, PolicyVersion, Surroundings, document};
use steward_proto::plan::v1 as plan;
use steward_proto::plan::v1::PolicyKind;
use steward_proto::plan::v1::policy_document::Document;
use steward_proto::survey::v1 as pb;
use uuid::Uuid;

use super::App;
use crate::contract::{check_policy, instrument, terms_of};
use crate::domain::ids::QuestionnaireVersionId;
use crate::domain::{Instrument, QuestionnaireVersion, Terms, Wave};
use crate::store::questionnaires::load_versions;

/// The kind of this service's policy documents.
const SURVEY: &str = "survey";

/// The documents that this service owns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnPolicies;

impl PolicyRules for OwnPolicies {
    fn kinds(&self) -> &'static [PolicyKind] {
        &[PolicyKind::Survey]
    }

    fn check(&self, bad: &mut Violations, at: &str, document: &Document, _around: &Surroundings) -> Result<()> {
        match document {
            Document::Survey(policy) => check_policy(bad, at, policy, POLICY_INVALID),
            Document::Intake(_)
            | Document::Sla(_)
            | Document::Callback(_)
            | Document::Care(_)
            | Document::Contact(_)
            | Document::Metrics(_) => {
                return Err(Error::bug("a document that another service owns"));
            }
        }
        Ok(())
    }
}

/// The rules of every estate. Policies are bound to a wave by version, so a memory that is behind by moments binds the version
/// that was in force a moment ago.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(super) policies: PolicyStore,
    pub(super) calendars: CalendarStore,
    pub(super) estates: EstateDirectory,
    /// Documents by version. Versions never change.
    documents: RwLock<HashMap<Uuid, Arc<plan::SurveyPolicy>>>,
    /// Instruments by version. They never change either.
    instruments: RwLock<HashMap<Uuid, Arc<Frozen>>>,
}

/// A frozen instrument, as callers and as the rules see it.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(crate) content: pb::QuestionnaireContent,
    pub(crate) rules: Arc<Instrument>,
    pub(crate) comparisons: Vec<crate::domain::Comparison>,
}

/// The rules of one estate at one time.
#[derive(Clone, Debug)]
pub(crate) struct EstateRules {
    pub(crate) version_ids: Vec<Uuid>,
    layers: Vec<Arc<plan::SurveyPolicy>>,
    calendars: Calendars,
    pub(crate) zone: TimeZone,
}

impl EstateRules {
    /// What holds for a programme; an empty code for what belongs to none.
    pub(crate) fn terms(&self, programme: &str) -> Terms {
        terms_of(&self.layers, programme)
    }

    /// When a span that starts now is over.
    pub(crate) fn due(&self, start: Timestamp, span: &Span) -> Result<Timestamp> {
        // A span that names hours which are not loaded was refused with its policy.
        Ok(self.calendars.due(start, span, &self.zone).map_err(Error::internal)?.time)
    }

    /// The same, where there may be none.
    pub(crate) fn maybe_due(&self, start: Timestamp, span: Option<&Span>) -> Result<Option<Timestamp>> {
        span.map(|span| self.due(start, span)).transpose()
    }
}

impl Rules {
    pub(super) fn new(policies: PolicyStore, calendars: CalendarStore, estates: EstateDirectory) -> Self {
        Self { policies, calendars, estates, documents: RwLock::default(), instruments: RwLock::default() }
    }

    /// The rules of an estate that were in force at `at`.
    ///
    /// # Errors
    /// `NotFound` when no such estate is known.
    pub(super) async fn of(&self, estate: EstateId, at: Timestamp) -> Result<EstateRules> {
        let resolved = self.policies.resolve(SURVEY, estate, at).await?;
        let version_ids = resolved.layers.iter().map(|version| version.id).collect();
        let layers = resolved.layers.iter().map(|version| self.read(version)).collect::<Result<_>>()?;
        self.with(estate, version_ids, layers).await
    }

    /// The rules that a wave is bound to.
    pub(super) async fn of_wave(&self, wave: &Wave) -> Result<EstateRules> {
        let mut layers = Vec::with_capacity(wave.policy_version_ids.len());
        for id in &wave.policy_version_ids {
            layers.push(self.read(self.policies.version(*id).await?.as_ref())?);
        }
        self.with(wave.estate_id, wave.policy_version_ids.clone(), layers).await
    }

    async fn with(&self, estate: EstateId, version_ids: Vec<Uuid>, layers: Vec<Arc<plan::SurveyPolicy>>) -> Result<EstateRules> {
        let estate = self.estates.get(estate).await?;
        let current = self.calendars.current().await?;
        let region: RegionKey = estate.region_id.to_string().parse().map_err(Error::internal)?;
        Ok(EstateRules { version_ids, layers, calendars: current.calendars.for_region(Some(region)), zone: estate.zone()? })
    }

    fn read(&self, version: &PolicyVersion) -> Result<Arc<plan::SurveyPolicy>> {
        let known = self.documents.read().unwrap_or_else(PoisonError::into_inner).get(&version.id).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let Document::Survey(policy) = document(version)? else { return Err(Error::bug("a survey policy of another kind")) };
        let policy = Arc::new(policy);
        self.documents.write().unwrap_or_else(PoisonError::into_inner).insert(version.id, policy.clone());
        Ok(policy)
    }
}

impl Rules {
    /// Frozen instruments, by version. From memory after the first time; one trip for all that were not asked for before.
    pub(super) async fn frozen(&self, db: impl PgExecutor<'_>, ids: &[QuestionnaireVersionId]) -> Result<HashMap<Uuid, Arc<Frozen>>> {
        let mut found: HashMap<Uuid, Arc<Frozen>> = {
            let known = self.instruments.read().unwrap_or_else(PoisonError::into_inner);
            ids.iter().filter_map(|id| Some((id.as_uuid(), known.get(&id.as_uuid())?.clone()))).collect()
        };
        let missing: BTreeSet<Uuid> = ids.iter().map(|id| id.as_uuid()).filter(|id| !found.contains_key(id)).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let missing: Vec<Uuid> = missing.into_iter().collect();
        let mut read = HashMap::with_capacity(missing.len());
        for version in load_versions(db, &missing).await? {
            read.insert(version.id.as_uuid(), Arc::new(Frozen::read(&version)?));
        }
        self.instruments.write().unwrap_or_else(PoisonError::into_inner).extend(read.clone());
        found.extend(read);
        Ok(found)
    }
}

impl Frozen {
    fn read(version: &QuestionnaireVersion) -> Result<Self> {
        let content = pb::QuestionnaireContent::decode(version.content.as_slice()).map_err(Error::internal)?;
        let mut bad = Violations::new();
        let rules = instrument(&mut bad, "content", &content);
        if !bad.is_empty() {
            return Err(Error::bug(format_args!("a published instrument does not read: {bad}")));
        }
        Ok(Self { content, rules: Arc::new(rules), comparisons: version.comparisons.clone() })
    }
}

impl App {
    /// A frozen instrument. From memory after the first time; one trip then.
    pub(super) async fn frozen(&self, id: QuestionnaireVersionId) -> Result<Arc<Frozen>> {
        let found = self.rules.frozen(self.db.pool(), &[id]).await?;
        found.into_values().next().ok_or_else(|| Error::not_found("questionnaire version", id))
    }
}
