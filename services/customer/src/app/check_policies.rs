//! Which policy documents this service owns, and which of them it refuses. Versions, scopes, replays and the RPCs are the
//! same for every service: `steward_kit_store::policy`.

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::metric::check_policy;
use steward_kit_store::policy::{PolicyRules, Surroundings};
use steward_proto::plan::v1::PolicyKind;
use steward_proto::plan::v1::policy_document::Document;

use crate::domain::exit::{ExitKind, ExitNature};

/// Figures, their targets and reports. Customer keeps them, because it keeps the households that most of them are of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnPolicies;

impl PolicyRules for OwnPolicies {
    fn kinds(&self) -> &'static [PolicyKind] {
        &[PolicyKind::Metrics]
    }

    fn check(&self, bad: &mut Violations, at: &str, document: &Document, _around: &Surroundings) -> Result<()> {
        if let Document::Metrics(policy) = document {
            let mut own = Violations::new();
            check_policy(policy, &mut own);
            for (at, metric) in policy.metrics.iter().enumerate() {
                for (place, code) in metric.parameters.iter().flat_map(|chosen| &chosen.exit_kinds).enumerate() {
                    // An estate's exit is counted as churn of estates (F-13a).
                    if !ExitKind::parse(code).is_some_and(|kind| kind.nature() != ExitNature::OfEstate) {
                        let field = format!("metrics[{at}].parameters.exit_kinds[{place}]");
                        own.add(field, "PARAMETER_INVALID", "must be a kind of exit of customers");
                    }
                }
            }
            own.iter().for_each(|fault| bad.add(format!("{at}.{}", fault.field), fault.reason, fault.description.clone()));
        }
        Ok(())
    }
}
