//! What many cases say together, through the service: counts and the cases behind them, hot spots, a forecast, the report of a month.

use std::collections::BTreeMap;

use steward_proto::common::v1 as common;
use steward_proto::metric::v1::MetricPeriod;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::CaseDimension;
use steward_proto::work_order::v1::analysis_service_client::AnalysisServiceClient;
use tonic::Code;

use crate::world::{World, at, eventually, refused, request_id};

impl World {
    pub(crate) fn analysis(&self) -> AnalysisServiceClient<tonic::transport::Channel> {
        AnalysisServiceClient::new(self.channel())
    }

    async fn cells(&self, slice: pb::CaseSlice, dimensions: &[CaseDimension]) -> pb::CountCasesResponse {
        let request = pb::CountCasesRequest {
            estate_ids: vec![self.estate.to_string()],
            period: march(),
            slice: Some(slice),
            dimensions: dimensions.iter().map(|dimension| (*dimension).into()).collect(),
        };
        self.analysis().count_cases(self.desk().asks(request)).await.unwrap().into_inner()
    }

    /// Takes in so many reports of these words, at a local hour of a day of March.
    async fn reports(&self, words: &str, count: usize, time: &str) -> Vec<String> {
        self.clock.set(at(time));
        let mut ids = Vec::new();
        for _ in 0..count {
            let report = pb::CreateWorkOrderRequest { description: words.to_owned(), request_id: request_id(), ..self.burst_pipe() };
            ids.push(self.create(report).await.id);
        }
        ids
    }

    async fn in_building(&self, code: &str) {
        let sql = "UPDATE work_order.units SET building_code = $2 WHERE id = $1";
        sqlx::query(sql).bind(self.unit).bind(code).execute(&self.db).await.unwrap();
    }

    /// Cases of an order's kind in each month that ended before March 2026, oldest last, as if they had been reported then.
    async fn past(&self, id: &str, by_month: &[i32]) {
        let sql = "
            WITH copied AS (
                INSERT INTO work_order.work_orders (estate_id, id, number, state, kind, category, urgency, classified_by, channel,
                    description, location, occur_time, receive_time, cycle, urge_count, memory, texts, history_position, history_hash,
                    update_time, row_version)
                SELECT o.estate_id, gen_random_uuid(), 'P-' || m.back || '-' || n, 'closed', o.kind, o.category, o.urgency, o.classified_by,
                       o.channel, o.description, o.location, t.time, t.time, 1, 0, o.memory, o.texts, o.history_position, o.history_hash,
                       t.time, 1
                  FROM work_order.work_orders o, unnest($2::int[]) WITH ORDINALITY AS m (cases, back), generate_series(1, m.cases) n,
                       LATERAL (SELECT '2026-03-15Z'::timestamptz - m.back * interval '1 month' + n * interval '1 minute' AS time) AS t
                 WHERE o.id = $1::uuid
             RETURNING estate_id, id, number, kind, category, channel, occur_time)
            INSERT INTO work_order.case_facts (estate_id, work_order_id, cycle, number, is_last, kind, category, channel, standing,
                occur_time, receive_time, start_time, opinion, callback_provisional, is_case_score, suspended_seconds)
            SELECT estate_id, id, 1, number, true, kind, category, channel, 'valid', occur_time, occur_time, occur_time, 'silent', false,
                   false, 0
              FROM copied";
        sqlx::query(sql).bind(id).bind(by_month).execute(&self.db).await.unwrap();
    }
}

fn march() -> Option<MetricPeriod> {
    Some(MetricPeriod { from_date: "2026-03-01".to_owned(), to_date: "2026-03-31".to_owned() })
}

/// WO-55, WO-56: a month by hour, by weekday, by category and by building; parts sum to the total, the cases behind a cell are as many as
/// it says, and a case that is classified anew moves to its new cell.
#[tokio::test]
async fn parts_sum_to_the_whole_and_lead_to_their_cases() {
    let world = World::new().await;
    world.in_building("3").await;
    // 09:30 and 19:30 of Monday, 2 March, and 02:00 of the day after, all in Shanghai.
    world.reports("水龙头漏水", 3, "2026-03-02T01:30:00Z").await;
    let parking = world.reports("车位被占", 2, "2026-03-02T11:30:00Z").await;
    world.reports("楼道卫生差", 1, "2026-03-02T18:00:00Z").await;
    let all = world.cells(pb::CaseSlice::default(), &[CaseDimension::Hour]).await;
    let by_hour: BTreeMap<u32, i64> = all.cells.iter().map(|cell| (cell.hour, cell.cases)).collect();
    assert_eq!((all.total, by_hour), (6, BTreeMap::from([(2, 1), (9, 3), (19, 2)])));
    for dimensions in [&[CaseDimension::Weekday][..], &[CaseDimension::Category, CaseDimension::Building], &[CaseDimension::Channel], &[]] {
        let answer = world.cells(pb::CaseSlice::default(), dimensions).await;
        assert_eq!(answer.cells.iter().map(|cell| cell.cases).sum::<i64>(), 6, "{dimensions:?}");
    }
    let cleaning = world.cells(pb::CaseSlice { weekdays: vec![2], ..Default::default() }, &[CaseDimension::Category]).await;
    assert_eq!(cleaning.cells.iter().map(|cell| cell.category.as_str()).collect::<Vec<_>>(), ["cleaning.poor_cleaning"]);
    let morning =
        pb::CaseSlice { hours: vec![9], categories: vec!["plumbing".to_owned()], buildings: vec!["3".to_owned()], ..Default::default() };
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListCasesRequest {
            estate_id: world.estate.to_string(),
            period: march(),
            slice: Some(morning.clone()),
            page_size: 2,
            page_token,
        };
        let page = world.analysis().list_cases(world.desk().asks(request)).await.unwrap().into_inner();
        listed.extend(page.cases);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(i64::try_from(listed.len()).unwrap(), world.cells(morning, &[]).await.total);
    assert!(listed.iter().all(|case| case.building_code == "3" && case.category.starts_with("plumbing")));
    // A correction is in the next answer, also of a period that was counted and kept.
    let classify = pb::ClassifyWorkOrderRequest {
        work_order_id: parking[0].clone(),
        request_id: request_id(),
        category: "security".to_owned(),
        urgency: common::Urgency::L3.into(),
        reason: "the guard let them in".to_owned(),
        ..Default::default()
    };
    world.orders().classify_work_order(world.desk().asks(classify)).await.unwrap();
    let answer = world.cells(pb::CaseSlice::default(), &[CaseDimension::Category]).await;
    let by_category: BTreeMap<&str, i64> = answer.cells.iter().map(|cell| (cell.category.as_str(), cell.cases)).collect();
    assert_eq!((by_category.get("parking"), by_category.get("security"), answer.total), (Some(&1), Some(&1), 6));
    let bad = pb::CountCasesRequest {
        estate_ids: vec![world.estate.to_string()],
        period: Some(MetricPeriod { from_date: "2025-01-01".to_owned(), to_date: "2026-03-01".to_owned() }),
        slice: Some(pb::CaseSlice { hours: vec![24], ..Default::default() }),
        ..Default::default()
    };
    let status = world.analysis().count_cases(world.desk().asks(bad)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(String::from_utf8_lossy(status.details()).contains("PERIOD_TOO_LONG"));
    assert!(String::from_utf8_lossy(status.details()).contains("slice.hours[0]"));
}

/// WO-57: from a share of 30 % on a kind of report is told the day after, once, for the estate and for the building; it is told again only
/// after it was over.
#[tokio::test]
async fn a_hot_spot_is_told_once() {
    let world = World::new().await;
    world.in_building("3").await;
    world.reports("小区停电", 10, "2026-03-02T02:00:00Z").await;
    world.reports("车位被占", 9, "2026-03-02T03:00:00Z").await;
    world.reports("水龙头漏水", 6, "2026-03-02T03:00:00Z").await;
    let sql = "INSERT INTO work_order.timers (id, kind, subject_id, key, estate_id, due_time, wake_time, create_time)
               VALUES (gen_random_uuid(), 'estate_day', $1, '', $1, '2026-03-02T16:00:00Z', '2026-03-02T16:00:00Z', '2026-03-02T03:00:00Z')";
    sqlx::query(sql).bind(world.estate).execute(&world.db).await.unwrap();
    let told = || async { world.count_facts(&world.estate.to_string(), "HotspotFound").await };
    world.clock.set(at("2026-03-02T16:00:00Z"));
    eventually("the hot spots", || async { (told().await == 2).then_some(()) }).await;
    let request = pb::FindHotspotsRequest { estate_id: world.estate.to_string() };
    let found = world.analysis().find_hotspots(world.desk().asks(request)).await.unwrap().into_inner().hotspots;
    let found: Vec<_> = found.iter().map(|spot| (spot.building_code.as_str(), spot.cases, spot.all_cases, spot.share_ppm)).collect();
    assert_eq!(found, [("", 10, 25, 400_000), ("3", 10, 25, 400_000)]);
    for day in ["2026-03-03T16:00:00Z", "2026-03-04T16:00:00Z"] {
        world.clock.set(at(day));
        eventually("the next day", || async { (next_day(&world).await.as_str() > day).then_some(()) }).await;
    }
    assert_eq!(told().await, 2, "it stands out still, and was told");
}

/// When the estate's next day begins, as text.
async fn next_day(world: &World) -> String {
    let sql =
        "SELECT to_char(due_time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM work_order.timers WHERE kind = 'estate_day'";
    sqlx::query_scalar(sql).fetch_optional(&world.db).await.unwrap().unwrap_or_default()
}

/// WO-58: after two summers the next one is forecast above an ordinary month, with an interval, and with the people it needs.
#[tokio::test]
async fn two_summers_foretell_the_third() {
    let world = World::new().await;
    let id = world.reports("水龙头漏水", 1, "2026-03-02T01:30:00Z").await.remove(0);
    let request = |month: &str| pb::ForecastDemandRequest {
        estate_ids: vec![world.estate.to_string()],
        category: "plumbing".to_owned(),
        month: month.to_owned(),
        ..Default::default()
    };
    let early = world.analysis().forecast_demand(world.desk().asks(request("2026-06"))).await;
    refused(early, Code::InvalidArgument, "HISTORY_TOO_SHORT");
    // From February back to March: 100 a month, 160 in the three of summer, 80 in the other nine.
    let year = [80, 80, 80, 80, 80, 80, 160, 160, 160, 80, 80, 80];
    world.past(&id, &[year, year].concat()).await;
    world.put_five_workers().await;
    let june = world.analysis().forecast_demand(world.desk().asks(request("2026-06"))).await.unwrap().into_inner();
    assert_eq!((june.expected, june.uplift_ppm, june.usual_milli, june.history.len()), (160, 600_000, 100_000, 24));
    assert!(june.lowest < 160 && june.lowest > 100 && june.highest > 160, "{june:?}");
    assert_eq!((june.workers, june.workers_needed), (5, 8));
    for month in ["2026-02", "2027-04", "2026-13"] {
        let far = world.analysis().forecast_demand(world.desk().asks(request(month))).await;
        assert_eq!(far.unwrap_err().code(), Code::InvalidArgument, "{month}");
    }
}

impl World {
    async fn put_five_workers(&self) {
        let workers = (1..=5).map(|n| pb::WorkerEntry {
            principal: format!("worker-{n}"),
            skills: vec!["plumbing".to_owned()],
            ..Default::default()
        });
        let request = pb::PutWorkersRequest { request_id: request_id(), estate_id: self.estate.to_string(), workers: workers.collect() };
        self.roster().put_workers(self.staff("boss", "estate_manager").asks(request)).await.unwrap();
    }
}

/// WO-36: when a month is over its callback report is told: what was due and made, the scores, and what people were dissatisfied with.
#[tokio::test]
async fn a_month_ends_with_its_callback_report() {
    let world = World::new().await;
    for score in [5, 4, 2] {
        let id = world.create(world.complaint()).await.id;
        world.work_off(&id).await;
        world.call_back(&id, pb::CallbackOutcome::Reached, score).await;
    }
    let missed = world.create(world.complaint()).await.id;
    world.work_off(&missed).await;
    let sql = "INSERT INTO work_order.timers (id, kind, subject_id, key, estate_id, due_time, wake_time, create_time)
               VALUES (gen_random_uuid(), 'estate_day', $1, '', $1, '2026-03-31T16:00:00Z', '2026-03-31T16:00:00Z', '2026-03-02T03:00:00Z')";
    sqlx::query(sql).bind(world.estate).execute(&world.db).await.unwrap();
    world.clock.set(at("2026-03-31T16:00:00Z"));
    eventually("the report", || async { (world.count_facts(&world.estate.to_string(), "CallbackReportReady").await == 1).then_some(()) })
        .await;
    let request = pb::GetCallbackReportRequest { estate_id: world.estate.to_string(), month: "2026-03".to_owned() };
    let report = world.analysis().get_callback_report(world.desk().asks(request)).await.unwrap().into_inner().report.unwrap();
    assert_eq!((report.due, report.reached_in_time, report.missed), (4, 3, 1));
    assert_eq!(report.scores, [0, 1, 0, 1, 1]);
    assert_eq!(report.issues.iter().map(|issue| issue.cases).collect::<Vec<_>>(), [1]);
}
