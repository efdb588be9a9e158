//! Rounds and their visits, as most tests drive them.

use steward_proto::care::v1 as pb;
use tonic::{Response, Status};

use crate::planning::{delivered, exclusions};
use crate::world::{World, eventually, request_id, stamp};

pub(crate) const TOPICS: [&str; 4] = ["aims", "manners", "concerns", "wording"];
pub(crate) const KIT: [&str; 5] = ["gift", "shoe_covers", "form", "formal_dress", "badge"];

pub(crate) fn round_of(world: &World, kind: pb::RoundKind, days: (&str, &str)) -> pb::CreateVisitRoundRequest {
    pb::CreateVisitRoundRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        kind: kind.into(),
        title: "三个月居住感受回访".to_owned(),
        from_date: days.0.to_owned(),
        to_date: days.1.to_owned(),
        coordinator: "coordinator-1".to_owned(),
        audience: delivered(),
        exclusions: exclusions(),
        ..Default::default()
    }
}

pub(crate) async fn create(world: &World, request: pb::CreateVisitRoundRequest) -> pb::VisitRound {
    let id = world.rounds().create_visit_round(world.manager().asks(request)).await.unwrap().into_inner().visit_round.unwrap().id;
    eventually("the round is drawn up", || async {
        let round = get_round(world, &id).await;
        (round.state() != pb::RoundState::Preparing).then_some(round)
    })
    .await
}

pub(crate) async fn get_round(world: &World, id: &str) -> pb::VisitRound {
    let request = pb::GetVisitRoundRequest { visit_round_id: id.to_owned() };
    world.rounds().get_visit_round(world.manager().asks(request)).await.unwrap().into_inner().visit_round.unwrap()
}

pub(crate) async fn visits(world: &World, round: &str) -> Vec<pb::Visit> {
    let request = pb::ListVisitsRequest { visit_round_id: round.to_owned(), ..Default::default() };
    world.visits().list_visits(world.manager().asks(request)).await.unwrap().into_inner().visits
}

pub(crate) async fn train(world: &World, round: &str, subject: &str, role: &str) {
    let request = pb::RecordTrainingRequest {
        request_id: request_id(),
        visit_round_id: round.to_owned(),
        subject: subject.to_owned(),
        role: role.to_owned(),
        topics: TOPICS.map(str::to_owned).to_vec(),
        ..Default::default()
    };
    world.rounds().record_training(world.manager().asks(request)).await.unwrap();
}

pub(crate) async fn schedule(
    world: &World,
    visit: &str,
    visitor: &str,
    start: &str,
) -> Result<Response<pb::ScheduleVisitResponse>, Status> {
    let request = pb::ScheduleVisitRequest {
        request_id: request_id(),
        visit_id: visit.to_owned(),
        etag: String::new(),
        visitors: vec![visitor.to_owned()],
        start_time: stamp(start),
        minutes: 45,
    };
    world.visits().schedule_visit(world.manager().asks(request)).await
}

macro_rules! verb {
    ($world:expr, $verb:ident, $request:ident, $visit:expr $(, $field:ident: $value:expr)*) => {{
        #[allow(clippy::needless_update, reason = "one of the requests has no field beside these")]
        let request = pb::$request { request_id: request_id(), visit_id: $visit.to_owned(), $($field: $value,)* ..Default::default() };
        $world.visits().$verb($world.steward().asks(request)).await
    }};
}
pub(crate) use verb;

/// A visit by somebody who was trained, at a time that lies ahead, over after so many minutes; the clock goes with it. Nothing is handed
/// in.
pub(crate) async fn make_visit(world: &World, visit: &str, visitor: &str, start: &str, minutes: i64) -> pb::Visit {
    schedule(world, visit, visitor, start).await.unwrap();
    world.go_to(start);
    verb!(world, start_visit, StartVisitRequest, visit).unwrap();
    world.advance(minutes);
    verb!(world, end_visit, EndVisitRequest, visit).unwrap().into_inner().visit.unwrap()
}
