//! A definition of a plan, checked against the catalogue and with the catalogue's defaults filled in.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Time;
use steward_proto::common::v1 as common;
use steward_proto::metric::v1 as pb;
use steward_proto::plan::v1 as plan;

use super::catalogue;
use super::entry::{Basis, Metric, Parameter};
use super::figure::Figure;
use super::period::{Period, PeriodKind};
use super::ratio::Ratio;
use super::target::{Direction, Target, Verdict, judge};
use super::wire;
use crate::calendar::Span;
use crate::error::Violations;

/// A window of the local day; over midnight when it ends before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayWindow {
    /// Start.
    pub from: Time,
    /// End, no longer in it.
    pub to: Time,
}

impl DayWindow {
    /// Whether a time of day lies in it.
    pub fn contains(self, time: Time) -> bool {
        if self.from <= self.to { self.from <= time && time < self.to } else { self.from <= time || time < self.to }
    }
}

/// The choices of a formula, with the catalogue's where the plan makes none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Codes of the kinds of case, such as `complaint`; none means every kind.
    pub kinds: Vec<String>,
    /// Categories, each with what is below it; none means every category.
    pub categories: Vec<String>,
    /// Names of clocks.
    pub clocks: Vec<String>,
    /// The households that the rate is of.
    pub basis: Option<Basis>,
    /// Satisfied answers; none means those of the scale.
    pub satisfied_levels: Vec<u32>,
    /// Whether neutral answers are satisfied.
    pub include_neutral: bool,
    /// Points of five answers, the worst first; none means the method's.
    pub score_map: Vec<u32>,
    /// How long outcomes are waited for, one span after the other.
    pub grace: Vec<Span>,
    /// How far back the question asks.
    pub recall_window: Option<Span>,
    /// How far back a contact makes the next one not the first.
    pub look_back: Option<Span>,
    /// How far ahead is looked.
    pub look_ahead: Option<Span>,
    /// Windows of the day.
    pub windows: Vec<DayWindow>,
    /// How long the thing may take.
    pub limit: Option<Span>,
    /// How long coverage or effect is followed.
    pub window: Option<Span>,
    /// Exits that count.
    pub exit_kinds: Vec<String>,
    /// The programme meant; empty means every one.
    pub programme: String,
    /// The questions meant.
    pub questions: Vec<String>,
}

/// How a plan defines a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The metric.
    pub metric: &'static Metric,
    /// Version.
    pub version: i32,
    /// Variant.
    pub method: &'static str,
    /// What one period is.
    pub period: PeriodKind,
    /// The choices.
    pub parameters: Parameters,
    /// What the plan aims at.
    pub target: Option<Target>,
    /// Which side is good.
    pub direction: Direction,
    /// What a change is measured against.
    pub baseline: Option<pb::ExactValue>,
    /// Who answers for it.
    pub responsible: String,
    /// What the plan says beside.
    pub reference: String,
}

impl Definition {
    /// Reads a definition, and notes everything that the catalogue has no use for.
    pub fn read(message: &pb::MetricDefinition, field: &str, bad: &mut Violations) -> Option<Self> {
        let source = wire::source(message.source);
        let Some(metric) = catalogue::metric(&message.metric_id, source) else {
            match catalogue::has_metric(&message.metric_id) {
                true => bad.add(format!("{field}.source"), "METHOD_UNKNOWN", "this metric cannot be counted from this source"),
                false => bad.add(format!("{field}.metric_id"), "METRIC_UNKNOWN", "is not in the catalogue"),
            }
            return None;
        };
        let method = metric.method(&message.method);
        if method.is_none() {
            bad.add(format!("{field}.method"), "METHOD_UNKNOWN", format!("must be one of {}", metric.methods.join(", ")));
        }
        let parameters = message.parameters.clone().unwrap_or_default();
        let parameters = read_parameters(metric, &parameters, &format!("{field}.parameters"), bad);
        let direction = wire::direction(message.direction).unwrap_or(metric.direction);
        let target = message.target.map(|target| Target {
            direction: wire::direction(target.direction).unwrap_or(direction),
            numerator: target.numerator,
            denominator: target.denominator.max(1),
        });
        Some(Self {
            metric,
            version: message.version.max(1),
            method: method?,
            period: wire::period_kind(message.period).unwrap_or(metric.period),
            parameters: parameters?,
            direction: target.map_or(direction, |target| target.direction),
            target,
            baseline: message.baseline,
            responsible: message.responsible.clone(),
            reference: message.reference.clone(),
        })
    }

    /// The definition of a metric as the catalogue has it, without a target.
    pub fn of(metric: &'static Metric) -> Self {
        let message = pb::MetricDefinition::default();
        let mut ignored = Violations::new();
        let parameters = read_parameters(metric, &pb::MetricParameters::default(), "parameters", &mut ignored).unwrap_or_default();
        Self {
            metric,
            version: 1,
            method: metric.methods.first().copied().unwrap_or_default(),
            period: metric.period,
            parameters,
            target: None,
            direction: metric.direction,
            baseline: message.baseline,
            responsible: message.responsible,
            reference: message.reference,
        }
    }

    /// The period that this figure counts when those days are asked for.
    pub fn period_for(&self, asked: Period) -> Period {
        asked.for_kind(self.period)
    }

    /// How a figure of a period stands to the target.
    pub fn verdict(&self, figure: &Figure, counted: Period) -> Verdict {
        let verdict = judge(figure.value().filter(|_| !figure.is_suppressed), self.target.as_ref());
        match verdict {
            Verdict::Met | Verdict::Missed if self.metric.grows_with_time && !counted.is_one(self.period) => Verdict::NotJudged,
            Verdict::Met | Verdict::Missed | Verdict::NotJudged | Verdict::NoData | Verdict::NoTarget | Verdict::NotDefined => verdict,
        }
    }

    /// The figure as a message, judged.
    pub fn value(&self, figure: &Figure, counted: Period, plan_code: &str, estate_id: &str, as_of: Timestamp) -> pb::MetricValue {
        wire::value(self, figure, counted, plan_code, estate_id, as_of)
    }
}

/// Reads the definitions that a request brings: those of one owner, each pair of metric and source once. With `only`, those
/// ids alone; an id that nobody owns is noted, one that another service owns is left out.
pub fn definitions_of(owner: super::Owner, messages: &[pb::MetricDefinition], only: &[String], bad: &mut Violations) -> Vec<Definition> {
    for (at, id) in only.iter().enumerate() {
        if !catalogue::has_metric(id) {
            bad.add(format!("metric_ids[{at}]"), "METRIC_UNKNOWN", "is not in the catalogue");
        }
    }
    let read = read_all(messages, "definitions", bad);
    read.into_iter().filter(|one| one.metric.owner == owner && (only.is_empty() || only.iter().any(|id| id == one.metric.id))).collect()
}

/// Everything in a metric policy that contradicts the catalogue or itself, each with its place.
pub fn check_policy(policy: &plan::MetricPolicy, bad: &mut Violations) {
    let known = read_all(&policy.metrics, "metrics", bad);
    let mut codes = BTreeSet::new();
    for (at, report) in policy.reports.iter().enumerate() {
        let field = format!("reports[{at}]");
        if !codes.insert(report.code.as_str()) {
            bad.add(format!("{field}.code"), "DUPLICATE", "each report once");
        }
        for (place, id) in report.metric_ids.iter().enumerate() {
            if !known.iter().any(|one| one.metric.id == id) && !catalogue::has_metric(id) {
                bad.add(format!("{field}.metric_ids[{place}]"), "METRIC_UNKNOWN", "is not in the catalogue");
            }
        }
        if let Some(due) = &report.due {
            bad.span(&format!("{field}.due"), due);
        }
    }
}

fn read_all(messages: &[pb::MetricDefinition], list: &str, bad: &mut Violations) -> Vec<Definition> {
    let mut seen = BTreeSet::new();
    let mut read = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let field = format!("{list}[{at}]");
        let Some(definition) = Definition::read(message, &field, bad) else { continue };
        if !seen.insert((definition.metric.id, definition.metric.source as u8)) {
            bad.add(format!("{field}.metric_id"), "DUPLICATE", "each metric once from one source");
        }
        read.push(definition);
    }
    read
}

fn read_parameters(metric: &Metric, message: &pb::MetricParameters, field: &str, bad: &mut Violations) -> Option<Parameters> {
    let set = [
        (Parameter::CaseKinds, "case_kinds", !message.case_kinds.is_empty()),
        (Parameter::Categories, "categories", !message.categories.is_empty()),
        (Parameter::Clocks, "clocks", !message.clocks.is_empty()),
        (Parameter::HouseholdBasis, "household_basis", message.household_basis != 0),
        (Parameter::SatisfiedLevels, "satisfied_levels", !message.satisfied_levels.is_empty() || message.include_neutral),
        (Parameter::ScoreMap, "score_map", !message.score_map.is_empty()),
        (Parameter::Grace, "grace", !message.grace.is_empty()),
        (Parameter::RecallWindow, "recall_window", message.recall_window.is_some()),
        (Parameter::LookBack, "look_back", message.look_back.is_some()),
        (Parameter::LookAhead, "look_ahead", message.look_ahead.is_some()),
        (Parameter::Windows, "windows", !message.windows.is_empty()),
        (Parameter::Limit, "limit", message.limit.is_some()),
        (Parameter::Window, "window", message.window.is_some()),
        (Parameter::ExitKinds, "exit_kinds", !message.exit_kinds.is_empty()),
        (Parameter::Programme, "programme", !message.programme.is_empty()),
        (Parameter::Questions, "questions", !message.questions.is_empty()),
    ];
    for (parameter, name, is_set) in set {
        if is_set && !metric.parameters.contains(&parameter) {
            bad.add(format!("{field}.{name}"), "PARAMETER_INVALID", "the formula has no use for it");
        }
    }
    if !message.score_map.is_empty() && message.score_map.len() != 5 {
        bad.add(format!("{field}.score_map"), "PARAMETER_INVALID", "must have five points, the worst answer first");
    }
    let mut spans_are_good = true;
    let mut one = |span: Option<&common::Span>, name: &str, bad: &mut Violations| {
        let read = bad.span(&format!("{field}.{name}"), span?);
        spans_are_good &= read.is_some();
        read
    };
    let defaults = |given: &[String], default: &[&str]| {
        if given.is_empty() { default.iter().map(|code| (*code).to_owned()).collect() } else { given.to_vec() }
    };
    let kinds: Vec<String> = message.case_kinds.iter().filter_map(|kind| wire::kind_code(*kind)).collect();
    let parameters = Parameters {
        kinds: defaults(&kinds, metric.kinds),
        categories: message.categories.clone(),
        clocks: defaults(&message.clocks, metric.clocks),
        basis: wire::basis(message.household_basis).or(metric.basis),
        satisfied_levels: message.satisfied_levels.clone(),
        include_neutral: message.include_neutral,
        score_map: message.score_map.clone(),
        recall_window: one(message.recall_window.as_ref(), "recall_window", bad),
        look_back: one(message.look_back.as_ref(), "look_back", bad),
        look_ahead: one(message.look_ahead.as_ref(), "look_ahead", bad),
        limit: one(message.limit.as_ref(), "limit", bad),
        window: one(message.window.as_ref(), "window", bad),
        grace: message.grace.iter().enumerate().filter_map(|(at, span)| one(Some(span), &format!("grace[{at}]"), bad)).collect(),
        windows: read_windows(&message.windows, field, bad),
        exit_kinds: message.exit_kinds.clone(),
        programme: message.programme.clone(),
        questions: message.questions.clone(),
    };
    spans_are_good.then_some(parameters)
}

fn read_windows(messages: &[pb::DayWindow], field: &str, bad: &mut Violations) -> Vec<DayWindow> {
    let time = |text: &str| (text.len() == 5).then(|| Time::strptime("%H:%M", text).ok()).flatten();
    let mut windows = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        match (time(&message.from_time), time(&message.to_time)) {
            (Some(from), Some(to)) if from != to => windows.push(DayWindow { from, to }),
            _ => bad.add(format!("{field}.windows[{at}]"), "PARAMETER_INVALID", "must be two different times HH:MM"),
        }
    }
    windows
}

/// The mean number of households of a basis in an estate over exactly that period; `None` where none was brought.
pub fn household_base(bases: &[pb::HouseholdBase], estate_id: &str, basis: Basis, period: Period) -> Option<Ratio> {
    bases
        .iter()
        .find(|base| {
            base.estate_id == estate_id
                && wire::basis(base.basis) == Some(basis)
                && base.from_date == period.from.to_string()
                && base.to_date == period.to.to_string()
        })
        .and_then(|base| Ratio::new(base.household_days.into(), base.days.into()))
}
