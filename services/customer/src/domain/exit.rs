//! Who left, and why (CP-48): what churn is counted from (F-13a, F-13b).

use jiff::Timestamp;
use jiff::civil::Date;
use steward_kit::codes;
use steward_kit::ids::{CustomerId, EstateId, WorkOrderId};
use steward_kit::{Error, Result};

use super::ids::{ExitId, TenureId};

codes! {
    /// Why a customer or an estate leaves.
    ExitKind {
        /// The tenant of a shop or an office left.
        CommercialTenantLeft = "commercial_tenant_left",
        /// An organisation that was served ended its contract.
        CorporateClientLeft = "corporate_client_left",
        /// A value-added service was cancelled.
        SubscriptionCancelled = "subscription_cancelled",
        /// A membership of the club was not renewed.
        ClubLapsed = "club_lapsed",
        /// Moved house.
        MovedOut = "moved_out",
        /// Sold the home.
        Sold = "sold",
        /// The estate's contract ended.
        ContractEnded = "contract_ended",
        /// Another provider was chosen for the estate.
        ProviderReplaced = "provider_replaced",
    }
}

/// Whose exit a kind is, and who is answerable for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitNature {
    /// A customer's, for which the service is answerable: what F-13b counts unless a plan says otherwise.
    ServiceRelated,
    /// A customer's who moved or sold.
    Natural,
    /// An estate's (F-13a).
    OfEstate,
}

impl ExitKind {
    /// What it is.
    pub fn nature(self) -> ExitNature {
        match self {
            Self::CommercialTenantLeft | Self::CorporateClientLeft | Self::SubscriptionCancelled | Self::ClubLapsed => {
                ExitNature::ServiceRelated
            }
            Self::MovedOut | Self::Sold => ExitNature::Natural,
            Self::ContractEnded | Self::ProviderReplaced => ExitNature::OfEstate,
        }
    }

    /// Whether the end of a tenure can be one.
    pub fn ends_a_tenure(self) -> bool {
        match self {
            Self::CommercialTenantLeft | Self::CorporateClientLeft | Self::MovedOut | Self::Sold => true,
            Self::SubscriptionCancelled | Self::ClubLapsed | Self::ContractEnded | Self::ProviderReplaced => false,
        }
    }

    /// The kinds that count as lost where a plan names none.
    pub fn service_related() -> Vec<String> {
        Self::ALL.iter().filter(|kind| kind.nature() == ExitNature::ServiceRelated).map(|kind| kind.as_str().to_owned()).collect()
    }
}

codes! {
    /// Where an exit is known from.
    ExitSource {
        /// A tenure ended with it.
        Tenure = "tenure",
        /// Typed in by staff.
        Staff = "staff",
        /// The care service told of a subscription that was cancelled.
        Care = "care",
    }
}

/// An exit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// Its id.
    pub id: ExitId,
    /// The estate.
    pub estate_id: EstateId,
    /// The customer; `None` where the estate itself left.
    pub customer_id: Option<CustomerId>,
    /// Why.
    pub kind: ExitKind,
    /// Last local day.
    pub exit_date: Date,
    /// The tenure that ended with it.
    pub tenure_id: Option<TenureId>,
    /// Orders that are believed to have led to it.
    pub cause_work_order_ids: Vec<WorkOrderId>,
    /// Where it is known from.
    pub source: ExitSource,
    /// When it was recorded.
    pub create_time: Timestamp,
}

impl Exit {
    /// The exit, if its kind is of what leaves.
    ///
    /// # Errors
    /// `EXIT_KIND_UNSUITED`
    pub fn checked(self) -> Result<Self> {
        let is_of_estate = self.kind.nature() == ExitNature::OfEstate;
        if is_of_estate == self.customer_id.is_none() { Ok(self) } else { Err(unsuited("kind")) }
    }
}

/// The refusal of a kind that is not of what leaves.
pub fn unsuited(field: &str) -> Error {
    Error::invalid(field, "EXIT_KIND_UNSUITED", "is not a kind of exit of what leaves")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-13b: the kinds that count unless a plan says otherwise; moving house and selling do not.
    #[test]
    fn whoever_moves_or_sells_is_not_lost() {
        let counted = ["commercial_tenant_left", "corporate_client_left", "subscription_cancelled", "club_lapsed"];
        assert_eq!(ExitKind::service_related(), counted);
        let natural: Vec<_> = ExitKind::ALL.iter().filter(|kind| kind.nature() == ExitNature::Natural).collect();
        assert_eq!(natural, [&ExitKind::MovedOut, &ExitKind::Sold]);
    }

    #[test]
    fn an_estate_leaves_by_its_own_kinds_only() {
        let exit = |kind, customer_id| Exit {
            id: ExitId::new(),
            estate_id: EstateId::new(),
            customer_id,
            kind,
            exit_date: jiff::civil::date(2026, 6, 30),
            tenure_id: None,
            cause_work_order_ids: Vec::new(),
            source: ExitSource::Staff,
            create_time: Timestamp::UNIX_EPOCH,
        };
        for kind in ExitKind::ALL {
            let is_of_estate = kind.nature() == ExitNature::OfEstate;
            assert_eq!(exit(*kind, None).checked().is_ok(), is_of_estate, "{kind}");
            assert_eq!(exit(*kind, Some(CustomerId::new())).checked().is_ok(), !is_of_estate, "{kind}");
            assert!(!(is_of_estate && kind.ends_a_tenure()), "{kind}");
        }
    }
}
