//! An activity with 30 seats and 100 households that register at once (CA-72): 30 have a seat, 70 wait in the order in which they came.

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use steward_proto::{
    care::v1::{
        Activity, ActivityFamily, ActivityPlan, ApproveActivityRequest, CancelRegistrationRequest, CreateActivityRequest,
        GetActivityRequest, ListRegistrationsRequest, PublishActivityRequest, RegisterRequest, Registration, RegistrationState,
        activity_service_client::ActivityServiceClient,
    },
    customer::v1::{Household, ListHouseholdsRequest, household_service_client::HouseholdServiceClient},
};
use tokio::task::JoinSet;

use super::{
    prologue::{Estate, manager},
    stage::{Actor, Stage, given, proto_time, request_id},
};
use crate::tokens::Claims;

const SEATS: usize = 30;
const HOUSEHOLDS: usize = 100;

pub(super) async fn play(stage: &Stage, estate: &Estate) -> Result<()> {
    stage.scene(format!("{SEATS} seats, {HOUSEHOLDS} registrations at once"));
    let manager = manager(stage, &estate.id)?;
    let activity = publish(stage, &manager, estate).await?;
    let households = households(stage, &manager, estate).await?;
    let begun = std::time::Instant::now();
    let answered = register_all(stage, estate, &activity, &households).await?;
    let with_seat = answered.iter().filter(|one| one.state() == RegistrationState::Confirmed).count();
    stage.tell(format!(
        "{} answers within {} ms: {with_seat} with a seat, {} on the waiting list",
        answered.len(),
        begun.elapsed().as_millis(),
        answered.len() - with_seat
    ));
    ensure!(with_seat == SEATS, "exactly {SEATS} have a seat, not {with_seat}");

    let listed = registrations(stage, &manager, &activity).await?;
    ensure!(listed.len() == HOUSEHOLDS, "each household is registered once, {} are", listed.len());
    ensure!(listed.iter().zip(1..).all(|(one, sequence)| one.sequence == sequence), "they stand in the order in which they came");
    let (seated, waiting) = listed.split_at(SEATS);
    ensure!(seated.iter().all(|one| one.state() == RegistrationState::Confirmed), "whoever came first has a seat");
    ensure!(
        waiting.iter().zip(1..).all(|(one, number)| one.state() == RegistrationState::Waiting && one.waiting_number == number),
        "the others wait, numbered in the same order"
    );
    for one in [&listed[0], &listed[SEATS - 1], &listed[SEATS], &listed[HOUSEHOLDS - 1]] {
        let place = if one.waiting_number == 0 { "has a seat".to_owned() } else { format!("waits as number {}", one.waiting_number) };
        stage.tell(format!("  came {:>3}.: household {} {place}", one.sequence, one.household_id));
    }
    give_back(stage, &manager, &activity, &seated[0], &waiting[0]).await
}

/// A cancelled seat goes to the first who waits.
async fn give_back(stage: &Stage, manager: &Actor, activity: &Activity, seated: &Registration, next: &Registration) -> Result<()> {
    let cancel = CancelRegistrationRequest { request_id: request_id(), registration_id: seated.id.clone() };
    let mut activities = ActivityServiceClient::new(stage.gateway.clone());
    activities.cancel_registration(manager.asks(cancel)?).await.context("cancelling a registration")?;
    let listed = registrations(stage, manager, activity).await?;
    let followed = listed.iter().find(|one| one.id == next.id).context("the first who waited")?;
    ensure!(followed.state() == RegistrationState::Confirmed, "the seat goes to the first who waits");
    let taken = listed.iter().filter(|one| one.state() == RegistrationState::Confirmed).count();
    ensure!(taken == SEATS, "and to nobody else: {taken} have a seat");
    stage.tell(format!("one cancels: household {}, first on the waiting list, has the seat", followed.household_id));
    let get = manager.asks(GetActivityRequest { activity_id: activity.id.clone() })?;
    let counted = given(activities.get_activity(get).await.context("reading the activity")?.into_inner().activity, "activity")?;
    stage.tell(format!("the activity counts {} seats taken, {} waiting", counted.confirmed_seat_count, counted.waiting_count));
    ensure!(usize::try_from(counted.confirmed_seat_count)? == SEATS, "its counter says the same");
    Ok(())
}

async fn publish(stage: &Stage, manager: &Actor, estate: &Estate) -> Result<Activity> {
    let (now, day) = (stage.now(), SignedDuration::from_hours(24));
    let plan = ActivityPlan {
        family: ActivityFamily::ParentChild.into(),
        type_code: "handicraft".to_owned(),
        title: "亲子手工坊".to_owned(),
        place: "社区活动室".to_owned(),
        start_time: Some(proto_time(now + day * 3)),
        end_time: Some(proto_time(now + day * 3 + SignedDuration::from_hours(2))),
        registration_from_time: Some(proto_time(now)),
        registration_to_time: Some(proto_time(now + day * 2)),
        capacity: u32::try_from(SEATS)?,
        max_party_size: 1,
        ..ActivityPlan::default()
    };
    let mut activities = ActivityServiceClient::new(stage.gateway.clone());
    let create = CreateActivityRequest { request_id: request_id(), estate_id: estate.id.clone(), plan: Some(plan) };
    let draft = activities.create_activity(manager.asks(create)?).await.context("planning the activity")?.into_inner();
    let activity_id = given(draft.activity, "activity")?.id;
    let approve = ApproveActivityRequest { request_id: request_id(), activity_id: activity_id.clone(), etag: String::new() };
    activities.approve_activity(manager.asks(approve)?).await.context("approving the activity")?;
    let publish = PublishActivityRequest { request_id: request_id(), activity_id, etag: String::new() };
    let shown = activities.publish_activity(manager.asks(publish)?).await.context("publishing the activity")?.into_inner();
    let activity = given(shown.activity, "activity")?;
    stage.tell(format!("{} publishes activity {} with {SEATS} seats", manager.name(), activity.id));
    Ok(activity)
}

/// Households of the estate that somebody can register.
async fn households(stage: &Stage, manager: &Actor, estate: &Estate) -> Result<Vec<Household>> {
    let request = ListHouseholdsRequest { estate_id: estate.id.clone(), page_size: 200, ..ListHouseholdsRequest::default() };
    let answer = HouseholdServiceClient::new(stage.gateway.clone()).list_households(manager.asks(request)?).await;
    let mut households = answer.context("listing the households")?.into_inner().households;
    households.retain(|household| !household.main_contact_customer_id.is_empty());
    households.truncate(HOUSEHOLDS);
    ensure!(households.len() == HOUSEHOLDS, "the estate has {} households to register", households.len());
    Ok(households)
}

/// Each household registers itself, all of them at once.
async fn register_all(stage: &Stage, estate: &Estate, activity: &Activity, households: &[Household]) -> Result<Vec<Registration>> {
    let mut registering = JoinSet::new();
    for household in households {
        let customer = &household.main_contact_customer_id;
        let claims = Claims::customer(&format!("resident.{customer}"), customer).role("resident").estate(&estate.id);
        let request = RegisterRequest {
            request_id: request_id(),
            activity_id: activity.id.clone(),
            household_id: household.id.clone(),
            party_size: 1,
        };
        let request = stage.actor("a resident", &claims)?.asks(request)?;
        let mut activities = ActivityServiceClient::new(stage.gateway.clone());
        registering.spawn(async move { activities.register(request).await });
    }
    let mut answered = Vec::with_capacity(households.len());
    while let Some(joined) = registering.join_next().await {
        let answer = joined?.context("registering a household")?.into_inner();
        answered.push(given(answer.registration, "registration")?);
    }
    Ok(answered)
}

/// Every registration, in the order of arrival.
async fn registrations(stage: &Stage, manager: &Actor, activity: &Activity) -> Result<Vec<Registration>> {
    let request = ListRegistrationsRequest { activity_id: activity.id.clone(), page_size: 200, ..ListRegistrationsRequest::default() };
    let answer = ActivityServiceClient::new(stage.gateway.clone()).list_registrations(manager.asks(request)?).await;
    Ok(answer.context("listing the registrations")?.into_inner().registrations)
}
