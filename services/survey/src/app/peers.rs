//! The services that are asked: who belongs to an audience, and who may be contacted.

use std::time::Duration;

use steward_kit::Result;
use steward_kit::client::{Identity, Peer, peer_error};
use steward_proto::customer::v1 as customer;
use steward_proto::customer::v1::audience_service_client::AudienceServiceClient;
use steward_proto::notification::v1 as notification;
use steward_proto::notification::v1::contact_ledger_service_client::ContactLedgerServiceClient;

/// How long a page of an audience may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// The services that are asked, with this service's own token.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    audience: AudienceServiceClient<Peer>,
    ledger: ContactLedgerServiceClient<Peer>,
}

impl Peers {
    /// The peers at their addresses.
    ///
    /// # Errors
    /// An address is no URL that this service can call.
    pub(crate) fn at(customer_url: &str, notification_url: &str, identity: &Identity) -> Result<Self> {
        Ok(Self {
            audience: AudienceServiceClient::new(Peer::connect(customer_url, DEADLINE, identity)?),
            ledger: ContactLedgerServiceClient::new(Peer::connect(notification_url, DEADLINE, identity)?),
        })
    }

    /// A page of an audience. The refusal is the peer's own: a predicate that it cannot evaluate is the designer's fault.
    pub(super) async fn members(
        &self,
        request: customer::ListAudienceMembersRequest,
    ) -> Result<customer::ListAudienceMembersResponse, tonic::Status> {
        Ok(self.audience.clone().list_audience_members(request).await?.into_inner())
    }

    /// The household bases of estates.
    pub(super) async fn bases(&self, request: customer::GetHouseholdBaseRequest) -> Result<customer::GetHouseholdBaseResponse> {
        let answer = self.audience.clone().get_household_base(request).await.map_err(|status| peer_error("customer", status))?;
        Ok(answer.into_inner())
    }

    /// What the ledger says about contacts.
    pub(super) async fn check(&self, contacts: Vec<notification::ContactQuestion>) -> Result<Vec<notification::ContactVerdict>> {
        let request = notification::CheckContactsRequest { contacts };
        let answer = self.ledger.clone().check_contacts(request).await.map_err(|status| peer_error("notification", status))?;
        Ok(answer.into_inner().verdicts)
    }
}
