//! Whether a household may take part, and whether a customer speaks for it.

use steward_kit::auth::Scope;
use steward_kit::ids::{CustomerId, EstateId, HouseholdId, UnitId};
use steward_kit::predicate::ask;
use steward_kit::{Error, Result};
use steward_proto::common::v1 as common;
use steward_proto::customer::v1 as customer;
use steward_proto::customer::v1::AudienceVerdict;

use super::audience::{Audience, refused};
use crate::domain::base::precondition;

/// A household that may take part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resident {
    pub(super) unit: UnitId,
    /// Whom to tell: who asks, where a customer does, else the main contact.
    pub(super) customer: Option<CustomerId>,
}

/// The members of the club among an audience: households with one of these cards as a tag (CA-82).
pub(super) fn members_only(audience: Option<common::Predicate>, cards: &[String]) -> common::Predicate {
    let is_member = ask::has_any("household.tag", cards.iter().map(String::as_str));
    match audience {
        Some(audience) => ask::all([audience, is_member]),
        None => is_member,
    }
}

impl Audience {
    /// Admits a household: it is of the estate, it belongs to the audience, and where a customer asks they live there. One question, two
    /// where a customer asks who is not the household's main contact.
    ///
    /// # Errors
    /// `NotFound` for a household that is not there or not the customer's; `WrongState` with the conditions that do not hold.
    pub(super) async fn admit(
        &self,
        scope: &Scope,
        estate: EstateId,
        household: HouseholdId,
        audience: Option<common::Predicate>,
    ) -> Result<Resident> {
        let request = customer::CheckAudienceRequest {
            estate_id: estate.to_string(),
            household_ids: vec![household.to_string()],
            predicate: audience,
            ..Default::default()
        };
        let answer = self.0.clone().check_audience(request).await.map_err(refused)?.into_inner();
        let check = answer.checks.into_iter().next().ok_or_else(|| Error::bug("a household was not held against its audience"))?;
        if check.verdict() == AudienceVerdict::UnknownHousehold {
            return Err(Error::not_found("household", household));
        }
        let unit = UnitId::parse(&check.unit_id).map_err(Error::internal)?;
        let contact = CustomerId::parse(&check.customer_id).ok();
        if let Some(own) = scope.own_customer_id().filter(|own| Some(*own) != contact)
            && !self.lives_in(unit, household, own).await?
        {
            return Err(Error::not_found("household", household));
        }
        match check.verdict() {
            AudienceVerdict::Member => Ok(Resident { unit, customer: scope.own_customer_id().or(contact) }),
            AudienceVerdict::NotMember | AudienceVerdict::Excluded => {
                let subject = format!("household {household}");
                precondition("NOT_IN_AUDIENCE", subject, format!("does not hold: {}", named(&check.reasons)))
            }
            AudienceVerdict::UnknownHousehold | AudienceVerdict::Unspecified => Err(Error::bug("a household without a verdict")),
        }
    }

    /// Whether a customer is a member of the household of a unit today.
    async fn lives_in(&self, unit: UnitId, household: HouseholdId, customer: CustomerId) -> Result<bool> {
        let request = customer::GetHouseholdRequest { unit_id: unit.to_string() };
        let answer = self.1.clone().get_household(request).await.map_err(refused)?.into_inner();
        let (household, customer) = (household.to_string(), customer.to_string());
        let found = answer.household.filter(|found| found.id == household);
        Ok(found.is_some_and(|found| found.members.iter().any(|member| member.customer_id == customer)))
    }
}

/// The conditions that decided, by their facts. What a fact is of a person never stands here: customer leaves it out.
fn named(reasons: &[common::ConditionFinding]) -> String {
    let one = |reason: &common::ConditionFinding| {
        let fact = if reason.fact.is_empty() { "not recorded" } else { reason.fact.as_str() };
        format!("{} ({fact})", reason.field)
    };
    reasons.iter().filter(|reason| reason.truth() != common::Truth::True).map(one).collect::<Vec<_>>().join(", ")
}
