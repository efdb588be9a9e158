//! SV-27 to SV-30: a household is asked because of something that happened to it, and its answer is told with what it was about.

use jiff::SignedDuration;
use steward_kit_store::NewEvent;
use steward_proto::care::v1 as care;
use steward_proto::metric::v1 as metric;
use steward_proto::survey::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use crate::content::{only, short};
use crate::words::wire;
use crate::world::{World, eventually, refused, request_id};

/// A programme that asks the template after such occasions.
async fn occasional(world: &World, code: &str, kind: pb::ProgrammeKind) -> pb::Programme {
    let (questionnaire_id, _) = world.published(code, short()).await;
    let create = pb::CreateProgrammeRequest {
        request_id: request_id(),
        code: code.to_owned(),
        name_zh: "签约后回访".to_owned(),
        kind: kind.into(),
        questionnaire_id,
        ..Default::default()
    };
    world.programmes().create_programme(world.operations().asks(create)).await.unwrap().into_inner().programme.unwrap()
}

/// Care says that the household at a place is to be asked.
fn due(world: &World, at: usize, touchpoint: Uuid, questionnaire: &str) -> NewEvent {
    let household = world.household(at);
    let facts = care::TouchpointFacts {
        touchpoint_id: touchpoint.to_string(),
        estate_id: world.estate.to_string(),
        household_id: household.id.to_string(),
        unit_id: household.unit.to_string(),
        customer_id: household.customer.map(|id| id.to_string()).unwrap_or_default(),
        programme_code: "lifecycle".to_owned(),
        definition_code: "signing_callback".to_owned(),
        due_time: wire(world.now()),
    };
    let fact = care::TouchpointSurveyDue { touchpoint: Some(facts), questionnaire_code: questionnaire.to_owned() };
    NewEvent::new(touchpoint, steward_kit::ids::EstateId::from(world.estate), world.now(), &fact)
}

async fn asked(world: &World, count: usize) -> Vec<pb::InvitationDue> {
    eventually("invitations", || async {
        let told: Vec<pb::InvitationDue> = world.told("InvitationDue").await;
        (told.len() >= count).then_some(told)
    })
    .await
}

async fn waves(world: &World) -> Vec<pb::Wave> {
    let list = pb::ListWavesRequest { estate_id: world.estate.to_string(), ..Default::default() };
    world.waves().list_waves(world.manager().asks(list)).await.unwrap().into_inner().waves
}

/// SV-27: the form is sent when care says that the week after signing has come, and the answer comes back with the touchpoint.
#[tokio::test]
async fn a_touchpoint_sends_the_template_form_and_gets_its_answer() {
    let world = World::of(3).await;
    occasional(&world, "signing", pb::ProgrammeKind::Stage).await;
    let touchpoint = Uuid::now_v7();
    world.care_tells(due(&world, 0, touchpoint, "signing")).await;
    let told = asked(&world, 1).await;
    assert_eq!((told[0].subject_kind.as_str(), told[0].subject_code.clone()), ("touchpoint", touchpoint.to_string()));
    assert_eq!(told[0].household_id, world.household(0).id.to_string());
    let wave = world.wave(&told[0].wave_id).await;
    assert!(wave.is_standing && wave.state() == pb::WaveState::Launched);

    world.submit(&wave, 0, only(4)).await;
    let accepted: Vec<pb::ResponseAccepted> = world.told("ResponseAccepted").await;
    assert_eq!((accepted[0].subject_kind.as_str(), accepted[0].subject_code.clone()), ("touchpoint", touchpoint.to_string()));
    assert_eq!((accepted[0].has_overall_score, accepted[0].overall_score), (true, 4));

    // The next household joins the month's wave; the month after has its own.
    world.care_tells(due(&world, 1, Uuid::now_v7(), "signing")).await;
    assert_eq!(asked(&world, 2).await[1].wave_id, wave.id);
    assert_eq!(waves(&world).await.len(), 1);
    world.advance(24 * 31);
    world.care_tells(due(&world, 0, Uuid::now_v7(), "signing")).await;
    assert_ne!(asked(&world, 3).await.last().unwrap().wave_id, wave.id);
}

/// SV-27, SV-41: once per event, and once a month for a household, however often it is said.
#[tokio::test]
async fn a_household_is_asked_once_a_month_whatever_happens() {
    let world = World::of(2).await;
    occasional(&world, "signing", pb::ProgrammeKind::Stage).await;
    for _ in 0..3 {
        world.care_tells(due(&world, 0, Uuid::now_v7(), "signing")).await;
    }
    world.care_tells(due(&world, 1, Uuid::now_v7(), "signing")).await;
    let told = asked(&world, 2).await;
    assert_eq!(told.len(), 2, "{told:?}");
    let wave = world.wave(&told[0].wave_id).await;
    assert_eq!(wave.numbers.unwrap().invited_count, 2);
}

/// SV-28: the form of a visit is entered at the door and kept with what it was about.
#[tokio::test]
async fn the_form_of_a_visit_is_entered_at_the_door_and_told_with_its_touchpoint() {
    let world = World::of(1).await;
    occasional(&world, "three_months", pb::ProgrammeKind::Stage).await;
    let touchpoint = Uuid::now_v7();
    world.care_tells(due(&world, 0, touchpoint, "three_months")).await;
    let wave_id = asked(&world, 1).await[0].wave_id.clone();
    world.advance(3);
    let enter = pb::EnterResponseRequest {
        request_id: request_id(),
        wave_id: wave_id.clone(),
        response_id: request_id(),
        mode: pb::SurveyMode::Visit.into(),
        household_id: world.household(0).id.to_string(),
        source_ref: "visit-7".to_owned(),
        answers: only(5),
        occur_time: wire(world.now()),
        ..Default::default()
    };
    let steward = world.staff("steward-1", "steward");
    let entered = world.responses().enter_response(steward.asks(enter)).await.unwrap().into_inner().response.unwrap();
    assert_eq!((entered.verdict(), entered.source_ref.as_str()), (pb::ResponseVerdict::Valid, "visit-7"));
    let accepted: Vec<pb::ResponseAccepted> = world.told("ResponseAccepted").await;
    assert_eq!((accepted[0].mode(), accepted[0].subject_code.clone()), (pb::SurveyMode::Visit, touchpoint.to_string()));
}

fn about_order(world: &World, at: usize, order: &str) -> pb::AskHouseholdRequest {
    let household = world.household(at);
    pb::AskHouseholdRequest {
        request_id: request_id(),
        estate_id: world.estate.to_string(),
        household_id: household.id.to_string(),
        unit_id: household.unit.to_string(),
        customer_id: household.customer.map(|id| id.to_string()).unwrap_or_default(),
        questionnaire_code: "callback".to_owned(),
        subject: Some(pb::WaveSubject { kind: "work_order".to_owned(), code: order.to_owned() }),
    }
}

/// SV-29, SV-45: whoever calls back after an order asks the micro-survey about it; the score comes back with the order.
#[tokio::test]
async fn the_score_of_a_callback_is_linked_to_its_order() {
    let world = World::of(2).await;
    occasional(&world, "callback", pb::ProgrammeKind::Micro).await;
    let order = request_id();
    let request = about_order(&world, 0, &order);
    let desk = world.staff("desk-1", "customer_service");
    let first = world.responses().ask_household(desk.asks(request.clone())).await.unwrap().into_inner().invitation.unwrap();
    let again = world.responses().ask_household(desk.asks(request)).await.unwrap().into_inner().invitation.unwrap();
    assert_eq!((first.subject_kind.as_str(), &first.id), ("work_order", &again.id), "the same request is one invitation");
    refused(world.responses().ask_household(desk.asks(about_order(&world, 0, &order))).await, Code::AlreadyExists, "HOUSEHOLD_ASKED");
    let wave = world.wave(&first.wave_id).await;
    world.submit(&wave, 0, only(1)).await;
    let accepted: Vec<pb::ResponseAccepted> = world.told("ResponseAccepted").await;
    assert_eq!((accepted[0].subject_kind.as_str(), &accepted[0].subject_code, accepted[0].overall_score), ("work_order", &order, 1));
    assert_eq!(world.facts("LowScoreReceived").await, 1, "and a low one is followed up");
    // A standing wave is no measurement of the estate: figures count it where they name its programme.
    let mut counted = Vec::new();
    for programme in ["", "callback"] {
        let rate = metric::MetricDefinition {
            metric_id: "csat_rate".to_owned(),
            source: metric::MetricSource::Survey.into(),
            parameters: Some(metric::MetricParameters { programme: programme.to_owned(), ..Default::default() }),
            ..Default::default()
        };
        let compute = metric::ComputeMetricsRequest {
            estate_ids: vec![world.estate.to_string()],
            period: Some(metric::MetricPeriod { from_date: "2026-07-01".to_owned(), to_date: "2026-07-31".to_owned() }),
            plan_code: "test".to_owned(),
            definitions: vec![rate],
            ..Default::default()
        };
        let values = world.metrics().compute_metrics(world.operations().asks(compute)).await.unwrap().into_inner().values;
        counted.extend(values.iter().filter(|value| !value.estate_id.is_empty()).map(|value| value.n));
    }
    assert_eq!(counted, [0, 1]);
}

/// WO-77: of calls that race for a household exactly one asks it.
#[tokio::test]
async fn of_calls_that_race_one_asks() {
    let world = World::of(8).await;
    occasional(&world, "callback", pb::ProgrammeKind::Micro).await;
    let desk = world.staff("desk-1", "customer_service");
    let ask = |at: usize| {
        let request = about_order(&world, at, "order");
        let (desk, mut responses) = (desk.clone(), world.responses());
        async move { responses.ask_household(desk.asks(request)).await }
    };
    let answers = futures::future::join_all((0..24).map(|one| ask(one % 8))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 8, "{answers:?}");
    let waves = waves(&world).await;
    assert_eq!((waves.len(), world.facts("InvitationDue").await, world.facts("WaveLaunched").await), (1, 8, 1));
}

/// SV-53: a household that was asked alone is reminded alone, and not after it has answered.
#[tokio::test]
async fn who_was_asked_alone_is_reminded_alone() {
    let world = World::of(2).await;
    occasional(&world, "callback", pb::ProgrammeKind::Micro).await;
    let desk = world.staff("desk-1", "customer_service");
    for at in 0..2 {
        world.responses().ask_household(desk.asks(about_order(&world, at, "order"))).await.unwrap();
    }
    let wave = waves(&world).await.remove(0);
    world.submit(&wave, 0, only(5)).await;
    for (count, channel) in [(1, "email"), (2, "inbox")] {
        world.clock.advance(SignedDuration::from_hours(24 * 4));
        eventually("a reminder", || async { (world.facts("ReminderDue").await == count).then_some(()) }).await;
        let told: Vec<pb::ReminderDue> = world.told("ReminderDue").await;
        let last = told.last().unwrap();
        assert_eq!((last.household_id.clone(), last.channel_code.as_str()), (world.household(1).id.to_string(), channel));
    }
    world.clock.advance(SignedDuration::from_hours(24 * 30));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(world.facts("ReminderDue").await, 2);
}

/// What cannot be asked is refused, and an event that asks for it is a dead letter that says why.
#[tokio::test]
async fn without_its_questionnaire_or_programme_nobody_is_asked() {
    let world = World::of(1).await;
    let desk = world.staff("desk-1", "customer_service");
    let ask = || about_order(&world, 0, "order");
    refused(world.responses().ask_household(desk.asks(ask())).await, Code::NotFound, "QUESTIONNAIRE_NOT_FOUND");
    world.published("callback", short()).await;
    refused(world.responses().ask_household(desk.asks(ask())).await, Code::NotFound, "PROGRAMME_NOT_FOUND");
    let elsewhere = pb::AskHouseholdRequest { estate_id: request_id(), ..ask() };
    refused(world.responses().ask_household(desk.asks(elsewhere)).await, Code::NotFound, "ESTATE_NOT_FOUND");
    world.care_tells(due(&world, 0, Uuid::now_v7(), "callback")).await;
    let cause = eventually("a dead letter", || async {
        world.advance(1);
        sqlx::query_scalar::<_, String>("SELECT cause FROM survey.dead_letters").fetch_optional(&world.db).await.unwrap()
    })
    .await;
    assert!(cause.contains("programme"), "{cause}");
}
