//! Activities as tests ask for them.

use steward_harness::Claims;
use steward_kit::ids::CustomerId;
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::activity_service_client::ActivityServiceClient;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::world::{Caller, World, request_id, stamp};

/// What activities are asked for in these tests.
pub(crate) struct Activities<'a>(pub(crate) &'a World);

impl Activities<'_> {
    pub(crate) fn client(&self) -> ActivityServiceClient<Channel> {
        ActivityServiceClient::new(self.0.channel())
    }

    /// An activity in ten days, whose registration is open.
    pub(crate) fn plan(&self, capacity: u32) -> pb::ActivityPlan {
        pb::ActivityPlan {
            family: pb::ActivityFamily::ParentChild.into(),
            type_code: "handicraft".to_owned(),
            title: "Lanterns".to_owned(),
            place: "Hall 2".to_owned(),
            start_time: stamp("2026-03-11T02:00:00Z"),
            end_time: stamp("2026-03-11T04:00:00Z"),
            registration_from_time: stamp("2026-03-01T00:00:00Z"),
            registration_to_time: stamp("2026-03-10T00:00:00Z"),
            capacity,
            max_party_size: capacity.min(4),
            budget_cents: 120_000,
            ..Default::default()
        }
    }

    pub(crate) async fn create(&self, plan: pb::ActivityPlan) -> pb::Activity {
        let request = pb::CreateActivityRequest { request_id: request_id(), estate_id: self.0.estate.to_string(), plan: Some(plan) };
        self.client().create_activity(self.0.manager().asks(request)).await.unwrap().into_inner().activity.unwrap()
    }

    pub(crate) async fn published(&self, plan: pb::ActivityPlan) -> pb::Activity {
        let activity_id = self.create(plan).await.id;
        let approve = pb::ApproveActivityRequest { request_id: request_id(), activity_id: activity_id.clone(), etag: String::new() };
        self.client().approve_activity(self.0.manager().asks(approve)).await.unwrap();
        let publish = pb::PublishActivityRequest { request_id: request_id(), activity_id, etag: String::new() };
        self.client().publish_activity(self.0.manager().asks(publish)).await.unwrap().into_inner().activity.unwrap()
    }

    pub(crate) async fn get(&self, id: &str) -> pb::Activity {
        let request = pb::GetActivityRequest { activity_id: id.to_owned() };
        self.client().get_activity(self.0.manager().asks(request)).await.unwrap().into_inner().activity.unwrap()
    }

    pub(crate) fn ask(&self, activity: &pb::Activity, household: Uuid, party_size: u32) -> pb::RegisterRequest {
        pb::RegisterRequest { request_id: request_id(), activity_id: activity.id.clone(), household_id: household.to_string(), party_size }
    }

    pub(crate) async fn register(&self, activity: &pb::Activity, household: Uuid, party_size: u32) -> pb::Registration {
        let request = self.ask(activity, household, party_size);
        self.client().register(self.0.steward().asks(request)).await.unwrap().into_inner().registration.unwrap()
    }

    pub(crate) async fn cancel(&self, registration: &str) -> pb::Registration {
        let request = pb::CancelRegistrationRequest { request_id: request_id(), registration_id: registration.to_owned() };
        self.client().cancel_registration(self.0.steward().asks(request)).await.unwrap().into_inner().registration.unwrap()
    }

    /// Every registration, page by page, in the order in which they are listed.
    pub(crate) async fn list(&self, activity: &str) -> Vec<pb::Registration> {
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListRegistrationsRequest { page_size: 40, page_token, activity_id: activity.to_owned(), states: Vec::new() };
            let page = self.client().list_registrations(self.0.steward().asks(request)).await.unwrap().into_inner();
            all.extend(page.registrations);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }
}

/// A resident with a token.
pub(crate) fn resident(world: &World, customer: Uuid) -> Caller {
    let id = CustomerId::from(customer).to_string();
    Caller::new(&Claims::customer(&format!("resident.{id}"), &id).role("resident").estate(world.estate))
}

impl Activities<'_> {
    /// A plan for another day of March 2026.
    pub(crate) fn plan_at(&self, day: &str) -> pb::ActivityPlan {
        pb::ActivityPlan {
            start_time: stamp(&format!("{day}T02:00:00Z")),
            end_time: stamp(&format!("{day}T04:00:00Z")),
            registration_to_time: stamp(&format!("{day}T00:00:00Z")),
            ..self.plan(30)
        }
    }
}
