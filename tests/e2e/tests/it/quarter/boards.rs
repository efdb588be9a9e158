//! The board of an estate by its own plan, held against what was counted apart.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use jiff::Timestamp;
use steward_proto::{
    gateway::v1::{ExplainMetricRequest, GetServiceQualityBoardRequest, GetServiceReportRequest, board_service_client::BoardServiceClient},
    metric::v1::{MetricDirection, MetricSource, MetricTarget, MetricValue, MetricVerdict},
};

use super::{
    cases::Case,
    days::Days,
    place::Place,
    tally::{self, Fraction, Said},
    voices::{IMPROVED, INTERVIEW_ROUNDS},
};
use crate::whole_board::whole_board;

/// What a plan's figure must be.
pub(super) struct Expected {
    pub(super) id: &'static str,
    source: MetricSource,
    value: Fraction,
    /// From `domain/plans.md`, as a fraction.
    target: Option<(MetricDirection, Fraction)>,
    /// The target is for a month, and the figure grows with the days: a quarter is not judged.
    is_judged: bool,
}

/// What is known of the quarter.
pub(super) struct Known<'a> {
    pub(super) cases: &'a [Case],
    pub(super) quarter: Days,
    pub(super) now: Timestamp,
    /// When orders were asked for by low scores.
    pub(super) asked: &'a [Timestamp],
}

const AT_LEAST: MetricDirection = MetricDirection::AtLeast;
const AT_MOST: MetricDirection = MetricDirection::AtMost;

fn operational(id: &'static str, value: Fraction) -> Expected {
    Expected { id, source: MetricSource::Operational, value, target: None, is_judged: true }
}

fn survey(id: &'static str, value: Fraction) -> Expected {
    Expected { source: MetricSource::Survey, ..operational(id, value) }
}

impl Expected {
    fn aim(self, direction: MetricDirection, target: Fraction) -> Self {
        Self { target: Some((direction, target)), ..self }
    }

    fn verdict(&self) -> MetricVerdict {
        let (numerator, denominator) = self.value;
        match self.target {
            _ if denominator == 0 => MetricVerdict::NoData,
            None => MetricVerdict::NoTarget,
            Some(_) if !self.is_judged => MetricVerdict::Unspecified,
            Some((direction, (target, of))) => {
                let (value, limit) = (i128::from(numerator) * i128::from(of), i128::from(target) * i128::from(denominator));
                let is_met = if direction == AT_LEAST { value >= limit } else { value <= limit };
                if is_met { MetricVerdict::Met } else { MetricVerdict::Missed }
            }
        }
    }

    fn is_shown_by(&self, value: &MetricValue) -> bool {
        let target =
            self.target.map(|(direction, (numerator, denominator))| MetricTarget { direction: direction.into(), numerator, denominator });
        let (numerator, denominator) = self.value;
        let is_same = if denominator == 0 {
            value.denominator == 0 && value.display.is_empty()
        } else {
            value.denominator != 0
                && i128::from(value.numerator) * i128::from(denominator) == i128::from(numerator) * i128::from(value.denominator)
        };
        is_same && value.target == target && value.verdict() == self.verdict()
    }
}

/// What the board of a plan must show for the quarter: every figure that the plan defines.
pub(super) fn expected(plan: &str, known: &Known<'_>) -> Vec<Expected> {
    let Known { cases, quarter, now, asked } = *known;
    let Said { csat, score, loyalty, complained, timely, suggestions, lift } = tally::said();
    let [twice, complete] = tally::files();
    match plan {
        "process-template" => vec![
            operational("data_quality_dup_rate", twice),
            operational("data_quality_completeness", complete),
            operational("repair_wait_time", tally::repair_wait(cases, quarter)),
            operational("feedback_loop_rate", tally::feedback_loop(cases, quarter)),
        ],
        "care-315" => vec![
            operational("care_coverage", tally::care_coverage()),
            survey("interview_rounds_done", (INTERVIEW_ROUNDS, 1)).aim(AT_LEAST, (1, 1)),
            survey("improvement_plans_done", (IMPROVED, 1)).aim(AT_LEAST, (5, 1)),
            survey("csat_lift", lift),
            operational("churn_rate", tally::churn()),
            operational("reach_rate_lift", tally::reach_lift()),
            operational("campaign_complaint_rate", tally::campaign_complaints(cases)),
        ],
        "service-management" => vec![
            survey("csat_rate", csat).aim(AT_LEAST, (90, 100)),
            survey("csat_score", score).aim(AT_LEAST, (90, 1)),
            Expected { is_judged: false, ..operational("complaint_rate", tally::complaint_rate(cases, quarter)).aim(AT_MOST, (5, 100)) },
            operational("first_response_hours", tally::first_response(cases, quarter)).aim(AT_MOST, (86_400, 1)),
            operational("resolution_rate", tally::resolution(cases, quarter, tally::cut_off())).aim(AT_LEAST, (95, 100)),
            operational("mean_handling_time", tally::handling_time(cases, quarter)),
        ],
        "service-uplift" => {
            let timely = |milestone: &str| tally::timely_rate(milestone, cases, quarter, now);
            vec![
                Expected { source: MetricSource::Callback, ..operational("repair_csat_rate", tally::repair_csat(cases, quarter)) }
                    .aim(AT_LEAST, (90, 100)),
                operational("complaint_callback_coverage", tally::attempted_in_window(cases, quarter)).aim(AT_LEAST, (100, 100)),
                operational("handled_rate", tally::handled(cases, quarter)),
                operational("timely_rate.push", timely("push")),
                operational("timely_rate.contact", timely("contact")),
                operational("timely_rate.arrive", timely("arrive")),
                operational("timely_rate.first_response", timely("first_response")),
                operational("timely_rate.owner_contact", timely("owner_contact")),
                operational("timely_rate.callback", timely("callback")),
                survey("improvement_effect", super::voices::EFFECT),
                operational("peak_share", tally::peak(cases, quarter, asked)),
            ]
        }
        _ => vec![
            survey("loyalty_rate", loyalty).aim(AT_LEAST, (85, 100)),
            survey("csat_rate", csat).aim(AT_LEAST, (85, 100)),
            survey("complaint_rate", complained).aim(AT_MOST, (10, 100)),
            survey("complaint_timely_rate", timely).aim(AT_LEAST, (100, 100)),
            survey("suggestions_count", suggestions),
            operational("relationship_callback_coverage", tally::talks()).aim(AT_LEAST, (85, 100)),
            operational("delivery_rate", tally::handed_over()),
        ],
    }
}

/// The figures of a month that are judged month by month.
pub(super) fn expected_of_month(cases: &[Case], month: Days) -> Vec<Expected> {
    vec![operational("complaint_rate", tally::complaint_rate(cases, month)).aim(AT_MOST, (5, 100))]
}

impl Place {
    /// Every figure of the estate, by the plan that it runs.
    pub(super) async fn board(&self, days: Days) -> Result<Vec<MetricValue>> {
        let request = GetServiceQualityBoardRequest {
            estate_ids: vec![self.id.clone()],
            period: Some(days.wire()),
            plan_code: String::new(),
            metric_ids: Vec::new(),
        };
        let board = whole_board(&self.gateway, || Ok(self.by("manager", request.clone()))).await?;
        Ok(board.values.into_iter().filter(|value| value.estate_id == self.id).collect())
    }
}

impl Place {
    /// The rows behind a figure that is not as it must be, for whoever looks for the reason.
    pub(super) async fn rows_behind(&self, expected: &Expected, days: Days) -> Result<String> {
        let request = ExplainMetricRequest {
            estate_id: self.id.clone(),
            period: Some(days.wire()),
            metric_id: expected.id.to_owned(),
            source: expected.source.into(),
            page_size: 200,
            ..ExplainMetricRequest::default()
        };
        let rows = BoardServiceClient::new(self.gateway.clone()).explain_metric(self.by("manager", request)).await?.into_inner().rows;
        let shown = rows.into_iter().map(|row| {
            let at = row.event_time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok());
            format!("    {} {} {} {at:?} {}", row.subject_number, row.in_numerator, row.in_denominator, row.reason_code)
        });
        Ok(shown.collect::<Vec<_>>().join("\n"))
    }
}

/// SV-51, GR-05: the service evaluation of a month has three indicators, each a figure or "no data"; here that of a month, and that of
/// one in which nothing happened.
pub(super) async fn faults_of_report(place: &Place, cases: &[Case], month: Days) -> Result<Vec<String>> {
    let indicators = async |month: &str| -> Result<Vec<(String, MetricValue)>> {
        let request = GetServiceReportRequest { estate_id: place.id.clone(), month: month.to_owned(), plan_code: String::new() };
        let answer = BoardServiceClient::new(place.gateway.clone()).get_service_report(place.by("manager", request)).await?;
        let report = answer.into_inner().report.context("a report")?;
        report.indicators.into_iter().map(|one| Ok((one.code, one.value.context("an indicator says something")?))).collect()
    };
    let wanted = [
        ("response_time", operational("first_response_hours", tally::first_response(cases, month)).aim(AT_MOST, (86_400, 1))),
        ("resolution", operational("resolution_rate", tally::resolution(cases, month, tally::cut_off())).aim(AT_LEAST, (95, 100))),
        // Of the waves that closed in the quarter.
        ("satisfaction", survey("csat_rate", tally::said().csat).aim(AT_LEAST, (90, 100))),
    ];
    let (told, silent) = (indicators(&month.from.strftime("%Y-%m").to_string()).await?, indicators("2026-02").await?);
    let mut faults = Vec::new();
    for (at, (code, expected)) in wanted.iter().enumerate() {
        match told.get(at) {
            Some((named, value)) if named == code && expected.is_shown_by(value) => {}
            other => faults.push(format!("the report's {code}: expected {:?}, it has {other:?}", expected.value)),
        }
        match silent.get(at) {
            Some((named, value)) if named == code && value.verdict() == MetricVerdict::NoData && value.display.is_empty() => {}
            other => faults.push(format!("the report of a silent month says of {code}: {other:?}")),
        }
    }
    Ok(faults)
}

fn find<'a>(board: &'a [MetricValue], expected: &Expected) -> Option<&'a MetricValue> {
    board.iter().find(|value| value.metric_id == expected.id && value.source() == expected.source)
}

/// What a board shows otherwise than it must.
pub(super) fn faults(plan: &str, board: &[MetricValue], expected: &[Expected]) -> Vec<String> {
    let mut faults = Vec::new();
    for one in expected {
        match find(board, one) {
            Some(value) if value.plan_code == plan && one.is_shown_by(value) => {}
            Some(value) => faults.push(format!(
                "{plan} {}: expected {:?} {} target {:?}, the board has {}/{} {} (n={}) target {:?} of {} {:?}",
                one.id,
                one.value,
                one.verdict().as_str_name(),
                one.target,
                value.numerator,
                value.denominator,
                value.verdict().as_str_name(),
                value.n,
                value.target,
                value.plan_code,
                value.parts,
            )),
            None => faults.push(format!("{plan} {}: silently absent", one.id)),
        }
    }
    faults
}

/// P-6: what the plan leaves unset says so, and shows no number.
pub(super) fn numbers_of_nothing(plan: &str, board: &[MetricValue], expected: &[Expected]) -> Vec<String> {
    let mut faults = Vec::new();
    let others = board.iter().filter(|value| !expected.iter().any(|one| value.metric_id == one.id && value.source() == one.source));
    for value in others {
        let says_so = value.verdict() == MetricVerdict::NotDefined && value.target.is_none() && value.display.is_empty();
        if !says_so {
            faults.push(format!("{plan} {}: not defined by this plan, and shown as {value:?}", value.metric_id));
        }
    }
    faults
}

/// The board as a table, as far as the plan defines it.
pub(super) fn table(title: &str, board: &[MetricValue], expected: &[Expected]) -> String {
    let mut text = format!("\n{title}\n");
    for value in expected.iter().filter_map(|one| find(board, one)) {
        let target = value.target.map_or_else(
            || "not defined by this plan".to_owned(),
            |target| {
                let sign = if target.direction() == AT_LEAST { ">=" } else { "<=" };
                format!("{sign} {}/{}", target.numerator, target.denominator)
            },
        );
        let shown = if value.display.is_empty() { "no data".to_owned() } else { format!("{} {}", value.display, value.display_unit) };
        let verdict = value.verdict().as_str_name().trim_start_matches("METRIC_VERDICT_").to_lowercase();
        let (id, n) = (&value.metric_id, value.n);
        writeln!(text, "  {id:<32} {shown:>14}  n={n:<5} target {target:<26} {verdict}").expect("a string takes text");
    }
    let unset = board.iter().filter(|value| value.verdict() == MetricVerdict::NotDefined).count();
    writeln!(text, "  and {unset} others: not defined by this plan").expect("a string takes text");
    text
}
