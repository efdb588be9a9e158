//! What a service says about the documents that it owns. The rest of a policy service is the same for all: [`super::edge`].

use std::collections::BTreeMap;

use steward_kit::calendar::Calendars;
use steward_kit::error::Violations;
use steward_kit::plan::kind_of;
use steward_kit::{Error, Result};
use steward_proto::plan::v1 as pb;
use steward_proto::plan::v1::PolicyKind;
use steward_proto::plan::v1::policy_document::Document;

use super::{PolicyLayer, PolicyVersion};

/// The reason of every contradiction in a document.
pub const POLICY_INVALID: &str = "POLICY_INVALID";

/// The documents that a service owns, and which of them it refuses.
pub trait PolicyRules: Send + Sync + 'static {
    /// The kinds owned. Documents of other kinds are refused before this service is asked, naming their owner.
    fn kinds(&self) -> &'static [PolicyKind];

    /// Notes every contradiction of a document, in itself and with what it is laid over, with reason [`POLICY_INVALID`].
    /// `at` is the document's place in the request, such as `document.sla`. The declared rules of its message, and every
    /// span of it, were checked before.
    ///
    /// # Errors
    /// Our fault: a stored document that does not read.
    fn check(&self, bad: &mut Violations, at: &str, document: &Document, around: &Surroundings) -> Result<()>;
}

/// What a document is checked against.
#[derive(Debug)]
pub struct Surroundings {
    /// The layers below, of every kind that the service owns.
    pub below: Below,
    /// Calendars that spans may name.
    pub calendars: Calendars,
}

/// The layers that a document is laid over, most specific first: those of the scopes below its own, and of its own scope
/// the kinds that it is not.
#[derive(Debug, Default)]
pub struct Below(BTreeMap<i32, Vec<PolicyLayer>>);

impl Below {
    /// The layers of a kind, most specific first.
    pub fn of(&self, kind: PolicyKind) -> &[PolicyLayer] {
        self.0.get(&i32::from(kind)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Every layer, kind by kind, most specific first.
    pub fn iter(&self) -> impl Iterator<Item = &PolicyLayer> {
        self.0.values().flatten()
    }

    pub(super) fn push(&mut self, kind: PolicyKind, layer: PolicyLayer) {
        self.0.entry(kind.into()).or_default().push(layer);
    }
}

/// What is stored of a version: the part of its message that the columns do not say.
///
/// # Errors
/// Our fault: bytes that are no such message.
pub fn stored(version: &PolicyVersion) -> Result<pb::PolicyVersion> {
    version.decode()
}

/// The document of a version.
///
/// # Errors
/// Our fault: bytes that are no document of the version's kind.
pub fn document(version: &PolicyVersion) -> Result<Document> {
    let document = stored(version)?.document.and_then(|document| document.document);
    let document = document.ok_or_else(|| Error::bug(format_args!("policy version {} holds no document", version.id)))?;
    if steward_kit::plan::code_of(kind_of(&document)) == version.kind {
        Ok(document)
    } else {
        Err(Error::bug(format_args!("policy version {} holds a document of another kind", version.id)))
    }
}
