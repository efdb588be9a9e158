//! Vector 8: what a year costs and brings, by the plan's own table.

use anyhow::{Context as _, Result};
use steward_proto::gateway::v1::GetServiceReportRequest;
use steward_proto::gateway::v1::board_service_client::BoardServiceClient;

use super::{Ground, part};

/// F-15, GR-11, vector 8: 4×5,000 + 12×50×100 + 12×100×50 = 140,000 against 300,000 leaves 160,000 a year, in the report of a
/// month and on the board.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_of_service_management_costs_140_000_and_leaves_160_000() -> Result<()> {
    let ground = Ground::open("2026-03-02T01:00:00Z").await?;
    let estate = ground.estate("JX-15", "service-management").await?;
    let request = GetServiceReportRequest { estate_id: estate.clone(), month: "2026-03".to_owned(), plan_code: String::new() };
    let mut boards = BoardServiceClient::new(ground.gateway.clone());
    let report = boards.get_service_report(ground.operations.asks(request)).await?.into_inner().report.context("a report")?;
    let line = report.lines.iter().filter_map(|line| line.value.as_ref()).find(|value| value.metric_id == "net_benefit");
    let board = ground.board(&estate, ("2026-03-01", "2026-03-31"), "service-management", &["net_benefit"]).await?;
    let shown = board.values.iter().find(|value| value.metric_id == "net_benefit");
    for value in [line.context("the report's line")?, shown.context("the board's figure")?] {
        assert_eq!((value.formula.as_str(), value.numerator, value.display.as_str()), ("F-15", 160_000, "160000"));
        let beside = |code| part(value, code).map(|part| part.numerator);
        assert_eq!((beside("cost"), beside("benefit")), (Some(140_000), Some(300_000)));
        assert_eq!(value.plan_code, "service-management");
    }
    // 003 has no such table, and says so.
    let other = ground.board(&estate, ("2026-03-01", "2026-03-31"), "service-uplift", &["net_benefit"]).await?;
    assert!(other.values.iter().all(|value| value.display.is_empty()), "{:?}", other.values);
    ground.house.close().await
}
