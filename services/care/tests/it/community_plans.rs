//! How Postgres answers the lists of registrations, entries, movements and uses, and finds who is next on a waiting list: by which index,
//! over tables of some size.

use jiff::civil::date;
use steward_harness::query_plans::{PlanFor, PlannedQuery, fill};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::care_fund_service_client::CareFundServiceClient;
use steward_proto::care::v1::stock_service_client::StockServiceClient;

use crate::community::Activities;
use crate::world::{World, request_id};

/// DESIGN §3, §10: each list goes by an index that begins with the estate, and reads no table from end to end, however old it is.
#[tokio::test]
async fn lists_of_the_community_go_by_their_indexes() {
    let world = World::new().await;
    let activities = Activities(&world);
    let shown = activities.published(activities.plan(5)).await;
    activities.register(&shown, world.households.add(date(2026, 3, 1)).id, 1).await;
    activities.list(&shown.id).await;
    let registrations = world.asked.last("ORDER BY sequence").unwrap();
    let (estate, activity) = (world.estate, shown.id);
    let list = pb::ListFundEntriesRequest { estate_id: estate.to_string(), ..Default::default() };
    CareFundServiceClient::new(world.channel()).list_fund_entries(world.steward().asks(list)).await.unwrap();
    let entries = world.asked.last("FROM care.fund_entries").unwrap();
    let put = pb::PutStockItemRequest {
        request_id: request_id(),
        estate_id: estate.to_string(),
        code: "cup".to_owned(),
        name_zh: "杯".to_owned(),
        kind: pb::StockItemKind::Gift.into(),
        unit_code: "piece".to_owned(),
        ..Default::default()
    };
    let mut stock = StockServiceClient::new(world.channel());
    let item = stock.put_stock_item(world.manager().asks(put)).await.unwrap().into_inner().item.unwrap().id;
    let list = pb::ListStockMovementsRequest { item_id: item.clone(), ..Default::default() };
    stock.list_stock_movements(world.steward().asks(list)).await.unwrap();
    let movements = world.asked.last("FROM care.stock_movements").unwrap();
    let next = format!(
        "SELECT * FROM care.registrations WHERE estate_id = '{estate}' AND activity_id = '{activity}' AND state = 'waiting'
            AND party_size <= $1 ORDER BY sequence LIMIT 1"
    );
    fill(&world.db, FILL, "care.registrations, care.fund_entries, care.stock_movements").await.unwrap();
    let mut connection = world.db.acquire().await.unwrap();
    for (name, sql, arguments) in [
        ("registrations of an activity", &registrations, format!("'{estate}', '{activity}', '{{}}', 100, NULL, 51")),
        ("entries of a fund", &entries, format!("'{estate}', 2000, 51")),
        ("movements of an item", &movements, format!("'{estate}', '{item}', 2000, 51")),
        ("the next who waits", &next, "2".to_owned()),
    ] {
        let query = PlannedQuery::new(name, sql, arguments);
        for mode in [PlanFor::AnyArguments, PlanFor::TheseArguments] {
            let plan = query.explain(&mut connection, mode).await.unwrap();
            for table in ["registrations", "fund_entries", "stock_movements"] {
                assert!(!plan.reads_whole(table), "{name}, {mode:?}:\n{}", plan.shape());
            }
            for (index, column) in plan.leading_columns(&mut connection, "care").await.unwrap() {
                assert_eq!(column, "estate_id", "{index} of {name}, {mode:?}");
            }
        }
    }
}

/// Years of activities, entries and movements of this estate and of others.
const FILL: &str = "
    INSERT INTO care.registrations (estate_id, activity_id, id, household_id, unit_id, party_size, state, sequence, waiting_number,
           check_in_code, register_time)
    SELECT estate_id, CASE WHEN n % 20 = 0 THEN activity_id ELSE ('00000000-0000-7000-8000-0000000000' || 10 + n % 60)::uuid END,
           gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1 + n % 4, CASE WHEN n % 10 = 0 THEN 'waiting' ELSE 'no_show' END, 10 + n,
           n, 'c' || n, register_time
      FROM care.registrations, generate_series(1, 12000) n;
    INSERT INTO care.fund_entries (estate_id, number, id, kind, from_place, to_place, amount_cents, currency, reference, reason,
           actor_subject, available_cents, committed_cents, spent_cents, post_time)
    SELECT CASE WHEN n % 3 = 0 THEN estate_id ELSE ('00000000-0000-7000-8000-00000000000' || n % 3)::uuid END, n, gen_random_uuid(), 'deposit',
           'outside', 'available', 1, 'CNY', '', '', 's', n, 0, 0, register_time
      FROM (SELECT estate_id, register_time FROM care.registrations LIMIT 1) r, generate_series(1, 9000) n;
    INSERT INTO care.stock_movements (estate_id, item_id, number, id, kind, change, on_hand, subject_kind, recipient_sign_reference,
           attachment_references, reason, actor_subject, move_time, stands)
    SELECT estate_id, CASE WHEN n % 3 = 0 THEN id ELSE ('00000000-0000-7000-8000-00000000000' || n % 3)::uuid END, n, gen_random_uuid(),
           'received', 1, n, '', '', '{}', '', 's', create_time, false
      FROM care.stock_items, generate_series(1, 9000) n;";
