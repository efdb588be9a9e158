//! The services of care, as a test calls them.

use steward_proto::care::v1::annual_plan_service_client::AnnualPlanServiceClient;
use steward_proto::care::v1::delivery_batch_service_client::DeliveryBatchServiceClient;
use steward_proto::care::v1::forum_service_client::ForumServiceClient;
use steward_proto::care::v1::obligation_service_client::ObligationServiceClient;
use steward_proto::care::v1::programme_service_client::ProgrammeServiceClient;
use steward_proto::care::v1::relationship_service_client::RelationshipServiceClient;
use steward_proto::care::v1::touchpoint_service_client::TouchpointServiceClient;
use steward_proto::care::v1::visit_round_service_client::VisitRoundServiceClient;
use steward_proto::care::v1::visit_service_client::VisitServiceClient;
use steward_proto::metric::v1::metric_service_client::MetricServiceClient;
use steward_proto::plan::v1::policy_service_client::PolicyServiceClient;
use tonic::transport::Channel;

use crate::world::World;

impl World {
    pub(crate) fn programmes(&self) -> ProgrammeServiceClient<Channel> {
        ProgrammeServiceClient::new(self.channel.clone())
    }

    pub(crate) fn touchpoints(&self) -> TouchpointServiceClient<Channel> {
        TouchpointServiceClient::new(self.channel.clone())
    }

    pub(crate) fn rounds(&self) -> VisitRoundServiceClient<Channel> {
        VisitRoundServiceClient::new(self.channel.clone())
    }

    pub(crate) fn visits(&self) -> VisitServiceClient<Channel> {
        VisitServiceClient::new(self.channel.clone())
    }

    pub(crate) fn relationships(&self) -> RelationshipServiceClient<Channel> {
        RelationshipServiceClient::new(self.channel.clone())
    }

    pub(crate) fn obligations(&self) -> ObligationServiceClient<Channel> {
        ObligationServiceClient::new(self.channel.clone())
    }

    /// For clients of services that only one file of tests calls.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(crate) fn forums(&self) -> ForumServiceClient<Channel> {
        ForumServiceClient::new(self.channel.clone())
    }

    pub(crate) fn batches(&self) -> DeliveryBatchServiceClient<Channel> {
        DeliveryBatchServiceClient::new(self.channel.clone())
    }

    pub(crate) fn annual_plans(&self) -> AnnualPlanServiceClient<Channel> {
        AnnualPlanServiceClient::new(self.channel.clone())
    }

    pub(crate) fn metrics(&self) -> MetricServiceClient<Channel> {
        MetricServiceClient::new(self.channel.clone())
    }

    pub(crate) fn policies(&self) -> PolicyServiceClient<Channel> {
        PolicyServiceClient::new(self.channel.clone())
    }
}
