//! Which policy documents this service owns, and which of them it refuses. Versions, scopes, replays and the RPCs are the
//! same for every service: `steward_kit_store::policy`.

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit_store::policy::{PolicyRules, Surroundings};
use steward_proto::plan::v1::PolicyKind;
use steward_proto::plan::v1::policy_document::Document;

use super::policy_documents::{KINDS, callback, intake, sla};
use super::rules::{Read, layer_of};
use crate::domain::{self, Policies, check_callback, check_intake, check_sla};

/// Intake, clocks and callbacks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnPolicies;

impl PolicyRules for OwnPolicies {
    fn kinds(&self) -> &'static [PolicyKind] {
        &KINDS
    }

    fn check(&self, bad: &mut Violations, at: &str, document: &Document, around: &Surroundings) -> Result<()> {
        let mut below = Policies::default();
        for version in around.below.iter() {
            layer_of(version, Read::of(version)?)?.lay(&mut below);
        }
        let around = domain::Surroundings { below: &below, calendars: &around.calendars };
        match document {
            Document::Intake(policy) => {
                if let Some(policy) = intake(bad, at, policy) {
                    check_intake(bad, at, &policy, around);
                }
            }
            Document::Sla(policy) => {
                if let Some(policy) = sla(bad, at, policy) {
                    check_sla(bad, at, &policy, around);
                }
            }
            Document::Callback(policy) => {
                if let Some(policy) = callback(bad, at, policy) {
                    check_callback(bad, at, &policy, around);
                }
            }
            // Never asked about: they are of no kind above.
            Document::Survey(_) | Document::Care(_) | Document::Contact(_) | Document::Metrics(_) => {}
        }
        Ok(())
    }
}
