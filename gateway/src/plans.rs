//! The service plans that ship, read strictly from `plans/*.yaml` (XC-01).

use std::collections::BTreeMap;

use steward_kit::plan::{PlanError, read_plan};
use steward_proto::plan::v1::ServicePlan;

const SHIPPED: [(&str, &str); 6] = [
    ("base.yaml", include_str!("../plans/base.yaml")),
    ("process-template.yaml", include_str!("../plans/process-template.yaml")),
    ("care-315.yaml", include_str!("../plans/care-315.yaml")),
    ("service-management.yaml", include_str!("../plans/service-management.yaml")),
    ("service-uplift.yaml", include_str!("../plans/service-uplift.yaml")),
    ("lifecycle-butler.yaml", include_str!("../plans/lifecycle-butler.yaml")),
];

/// The plans, by code.
#[derive(Debug, Clone)]
pub struct Plans(BTreeMap<String, ServicePlan>);

impl Plans {
    /// The plans that ship.
    ///
    /// # Errors
    /// Every fault of the first file that does not read.
    pub fn shipped() -> Result<Self, PlanError> {
        let read = SHIPPED.iter().map(|(file, yaml)| read_plan(file, yaml).map(|plan| (plan.code.clone(), plan)));
        read.collect::<Result<_, _>>().map(Self)
    }

    /// A plan by its code.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub fn get(&self, code: &str) -> steward_kit::Result<&ServicePlan> {
        self.0.get(code).ok_or_else(|| steward_kit::Error::not_found("service plan", code))
    }

    /// Every plan, by code.
    pub fn iter(&self) -> impl Iterator<Item = &ServicePlan> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XC-01
    #[test]
    fn every_plan_that_ships_is_read_under_its_own_code() {
        let plans = Plans::shipped().unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(plans.iter().count(), SHIPPED.len(), "codes differ");
        for (file, _) in SHIPPED {
            let code = file.trim_end_matches(".yaml");
            assert_eq!(plans.get(code).map(|plan| plan.code.as_str()).ok(), Some(code));
        }
        assert!(plans.get("nobody").is_err());
    }
}
