//! Situations of households that forbid contacts (NT-38): the policy says which, the customer service knows whether.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use steward_kit::client::peer_error;
use steward_kit::ids::HouseholdId;
use steward_kit::proto::to_date;
use steward_kit::{Error, Result};
use steward_proto::customer::v1 as customer;

use super::App;
use super::compose::Place;
use crate::domain::codes::Class;

/// Most households in one question.
const AT_ONCE: usize = 200;

impl App {
    /// For each household the codes of the situations that hold and forbid contacts of the class and topic. No trip and no
    /// call when the policy has none.
    pub(super) async fn situations(
        &self,
        place: &Place,
        class: Class,
        topic: &str,
        households: &[HouseholdId],
        now: Timestamp,
    ) -> Result<HashMap<HouseholdId, Vec<String>>> {
        let codes = place.policy.situations_of(class, topic);
        let exclusion = |code: &str| Some((code.to_owned(), place.situations.get(code)?.clone()));
        let exclusions: Vec<customer::AudienceExclusion> =
            codes.filter_map(exclusion).map(|(code, predicate)| customer::AudienceExclusion { code, predicate: Some(predicate) }).collect();
        let mut found = HashMap::new();
        if exclusions.is_empty() {
            return Ok(found);
        }
        let single: Vec<HouseholdId> = households.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let today = place.estate.zone()?.to_datetime(now).date();
        for some in single.chunks(AT_ONCE) {
            let request = customer::CheckAudienceRequest {
                estate_id: place.estate.id.to_string(),
                household_ids: some.iter().map(ToString::to_string).collect(),
                predicate: None,
                exclusions: exclusions.clone(),
                as_of_date: to_date(today),
            };
            let answer = self.audience.clone().check_audience(request).await.map_err(|status| peer_error("customer", status))?;
            for check in answer.into_inner().checks {
                let household = HouseholdId::parse(&check.household_id).map_err(Error::internal)?;
                if check.verdict() == customer::AudienceVerdict::Excluded {
                    found.entry(household).or_insert_with(Vec::new).push(check.exclusion_code);
                }
            }
        }
        Ok(found)
    }
}
