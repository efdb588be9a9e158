//! Many workers, the same households: no cap is passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use steward_kit::ids::{CustomerId, HouseholdId};
use steward_proto::notification::v1 as pb;
use steward_proto::plan::v1 as plan;
use tokio::task::JoinSet;

use crate::ledger::{invitation, reserving};
use crate::world::{World, request_id};

/// Workers that reserve at once.
const WORKERS: usize = 64;

/// Contacts that each of them tries.
const TRIES: usize = 400;

/// Contacts in one call.
const BATCH: usize = 50;

/// What the caps let through.
const PER_HOUSEHOLD: usize = 7;
const PER_PERSON: usize = 10;

fn cap(code: &str, scope: plan::ContactCapScope, limit: usize) -> plan::ContactCap {
    plan::ContactCap {
        code: code.to_owned(),
        classes: vec![pb::MessageClass::Survey.into()],
        scope: scope.into(),
        limit: u32::try_from(limit).unwrap(),
        window: Some(plan::contact_cap::Window::Rolling(steward_proto::common::v1::Span {
            value: 20,
            unit: steward_proto::common::v1::Unit::Day.into(),
            calendar: "civil".to_owned(),
        })),
        ..Default::default()
    }
}

fn off(code: &str) -> plan::ContactCap {
    plan::ContactCap { code: code.to_owned(), off: true, ..Default::default() }
}

/// NT-37, CA-84, SV-41: 64 workers make 25,600 attempts on eight households and five people who live in several of them: of
/// each household and each person exactly as many get through as the cap says, and not one more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_number_of_workers_passes_a_cap() {
    let world = World::new().await;
    let household = cap("per_household", plan::ContactCapScope::Household, PER_HOUSEHOLD);
    let person = cap("per_person", plan::ContactCapScope::Person, PER_PERSON);
    let caps = vec![household, person, off("survey_per_30_days"), off("survey_per_year")];
    world.set_policy(plan::ContactPolicy { caps, ..Default::default() }).await;
    let households: Arc<Vec<HouseholdId>> = Arc::new((0..8).map(|_| HouseholdId::new()).collect());
    let people: Arc<Vec<CustomerId>> = Arc::new((0..5).map(|_| CustomerId::new()).collect());
    let world = Arc::new(world);
    let allowed = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let (world, households, people, allowed) = (world.clone(), households.clone(), people.clone(), allowed.clone());
        workers.spawn(async move {
            for call in 0..TRIES / BATCH {
                let contacts = (0..BATCH).map(|at| {
                    let at = worker * 31 + call * 17 + at;
                    let customer_id = people[at % people.len()].to_string();
                    pb::ContactQuestion { customer_id, ..invitation(&world, households[at % households.len()]) }
                });
                let mut request = reserving(contacts.collect());
                // Contended for too long: nothing was counted, so the same call is made again.
                let verdicts = loop {
                    match world.ledger().reserve_contacts(world.survey().asks(request.clone())).await {
                        Ok(answer) => break answer.into_inner().verdicts,
                        Err(status) => {
                            assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");
                            request.request_id = request_id();
                        }
                    }
                };
                let through = verdicts.iter().filter(|verdict| verdict.outcome() == pb::ContactOutcome::Allowed).count();
                allowed.fetch_add(through, Ordering::Relaxed);
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    let pool = world.database.superuser().await.unwrap();
    let counts: Vec<(String, i64)> =
        sqlx::query_as("SELECT scope, count(*) FROM notification.contact_counts GROUP BY scope, scope_id ORDER BY 1, 2")
            .fetch_all(&pool)
            .await
            .unwrap();
    let of =
        |scope: &str| counts.iter().filter(|(of, _)| of == scope).map(|(_, count)| usize::try_from(*count).unwrap()).collect::<Vec<_>>();
    assert!(of("household").iter().all(|count| *count <= PER_HOUSEHOLD), "{counts:?}");
    assert!(of("person").iter().all(|count| *count <= PER_PERSON), "{counts:?}");
    // Five people may get ten each, eight households seven: every person is full in the end, and nobody got more.
    assert_eq!(of("person"), vec![PER_PERSON; 5], "{counts:?}");
    assert_eq!(allowed.load(Ordering::Relaxed), PER_PERSON * 5, "what was answered is what was counted");
    let reserved: i64 =
        sqlx::query_scalar("SELECT count(*) FROM notification.contact_entries WHERE kind = 'reserved'").fetch_one(&pool).await.unwrap();
    assert_eq!(reserved, 50);
}
