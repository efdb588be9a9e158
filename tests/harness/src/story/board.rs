//! The figures: one estate under two plans side by side, from the same facts.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use steward_proto::{
    gateway::v1::{GetServiceQualityBoardRequest, board_service_client::BoardServiceClient},
    metric::v1::{MetricPeriod, MetricSource, MetricValue, MetricVerdict},
};

use super::{
    prologue::{Estate, manager},
    stage::{Actor, Stage, given},
};

/// The plans that the same facts are seen under.
const PLANS: [&str; 2] = ["service-management", "service-uplift"];

/// The month in which the work was done; time may pass before it is looked at.
pub(super) fn month(stage: &Stage) -> MetricPeriod {
    let today = stage.local_date(stage.now());
    MetricPeriod { from_date: today.first_of_month().to_string(), to_date: today.last_of_month().to_string() }
}

pub(super) async fn play(stage: &Stage, estate: &Estate, month: MetricPeriod) -> Result<()> {
    stage.scene(format!("The board of the estate under {} and under {}", PLANS[0], PLANS[1]));
    let manager = manager(stage, &estate.id)?;
    let [one, other] = [board(stage, &manager, estate, PLANS[0], &month).await?, board(stage, &manager, estate, PLANS[1], &month).await?];
    stage.tell(format!("{:<44} {:<28} {}", "", PLANS[0], PLANS[1]));
    for (metric, value) in &one {
        let beside = other.get(metric);
        let is_shown = |value: &MetricValue| value.verdict() != MetricVerdict::NotDefined;
        if is_shown(value) || beside.is_some_and(is_shown) {
            let beside = beside.map(shown).unwrap_or_default();
            stage.tell(format!("{:<44} {:<28} {beside}", metric.0, shown(value)));
        }
    }
    let differ = one.iter().filter(|(metric, value)| other.get(*metric).is_some_and(|beside| beside.verdict != value.verdict)).count();
    ensure!(differ > 0, "two plans judge the same facts differently, each by its own definitions");
    Ok(())
}

/// How often somebody looks at a board with a part that was late.
const LOOKS: u32 = 5;

/// The figures of the estate in the month of the story, by metric and source.
async fn board(
    stage: &Stage,
    manager: &Actor,
    estate: &Estate,
    plan: &str,
    month: &MetricPeriod,
) -> Result<BTreeMap<(String, MetricSource), MetricValue>> {
    let request = GetServiceQualityBoardRequest {
        estate_ids: vec![estate.id.clone()],
        period: Some(month.clone()),
        plan_code: plan.to_owned(),
        metric_ids: Vec::new(),
    };
    let mut boards = BoardServiceClient::new(stage.gateway.clone());
    let mut looks = 0;
    let board = loop {
        let answer = boards.get_service_quality_board(manager.asks(request.clone())?).await.context("asking for the board")?.into_inner();
        let board = given(answer.board, "board")?;
        if board.unavailable_services.is_empty() {
            break board;
        }
        // A part that was late says so; what it had counted is kept, and the next look finds it further on.
        looks += 1;
        ensure!(looks < LOOKS, "every service answers: {:?}", board.unavailable_services);
    };
    let of_estate = board.values.into_iter().filter(|value| value.estate_id == estate.id);
    Ok(of_estate.map(|value| ((value.metric_id.clone(), value.source()), value)).collect())
}

/// A figure as the board shows it.
fn shown(value: &MetricValue) -> String {
    match value.verdict() {
        MetricVerdict::NotDefined => "not defined by this plan".to_owned(),
        MetricVerdict::NoData => "no data".to_owned(),
        MetricVerdict::Met => format!("{} {} (n={}) met", value.display, value.display_unit, value.n),
        MetricVerdict::Missed => format!("{} {} (n={}) missed", value.display, value.display_unit, value.n),
        MetricVerdict::NoTarget | MetricVerdict::Unspecified => format!("{} {} (n={})", value.display, value.display_unit, value.n),
    }
}
