//! Between the contract's messages and the types of this module.

use jiff::Timestamp;
use steward_proto::common::v1 as common;
use steward_proto::metric::v1 as pb;

use super::definition::Definition;
use super::entry::{Basis, Source};
use super::figure::{Figure, Part};
use super::period::{Period, PeriodKind};
use super::target::{Direction, Target, Verdict};
use super::unit::Unit;
use crate::error::Violations;

/// Cases below which a figure is marked as a small sample.
pub const SMALL_SAMPLE: i64 = 30;

/// A source; `None` for the catalogue's.
pub fn source(number: i32) -> Option<Source> {
    match pb::MetricSource::try_from(number).unwrap_or_default() {
        pb::MetricSource::Unspecified => None,
        pb::MetricSource::Survey => Some(Source::Survey),
        pb::MetricSource::Operational => Some(Source::Operational),
        pb::MetricSource::Callback => Some(Source::Callback),
        pb::MetricSource::Manual => Some(Source::Manual),
        pb::MetricSource::Import => Some(Source::Import),
    }
}

/// A source as a message has it.
pub fn source_number(source: Source) -> pb::MetricSource {
    match source {
        Source::Survey => pb::MetricSource::Survey,
        Source::Operational => pb::MetricSource::Operational,
        Source::Callback => pb::MetricSource::Callback,
        Source::Manual => pb::MetricSource::Manual,
        Source::Import => pb::MetricSource::Import,
    }
}

/// A direction; `None` for the catalogue's.
pub fn direction(number: i32) -> Option<Direction> {
    match pb::MetricDirection::try_from(number).unwrap_or_default() {
        pb::MetricDirection::Unspecified => None,
        pb::MetricDirection::AtLeast => Some(Direction::AtLeast),
        pb::MetricDirection::AtMost => Some(Direction::AtMost),
    }
}

/// A direction as a message has it.
pub fn direction_number(direction: Direction) -> pb::MetricDirection {
    match direction {
        Direction::AtLeast => pb::MetricDirection::AtLeast,
        Direction::AtMost => pb::MetricDirection::AtMost,
    }
}

/// A kind of period; `None` for the catalogue's.
pub fn period_kind(number: i32) -> Option<PeriodKind> {
    match pb::MetricPeriodKind::try_from(number).unwrap_or_default() {
        pb::MetricPeriodKind::Unspecified => None,
        pb::MetricPeriodKind::Month => Some(PeriodKind::Month),
        pb::MetricPeriodKind::Quarter => Some(PeriodKind::Quarter),
        pb::MetricPeriodKind::HalfYear => Some(PeriodKind::HalfYear),
        pb::MetricPeriodKind::Year => Some(PeriodKind::Year),
        pb::MetricPeriodKind::Wave => Some(PeriodKind::Wave),
        pb::MetricPeriodKind::Campaign => Some(PeriodKind::Campaign),
        pb::MetricPeriodKind::Batch => Some(PeriodKind::Batch),
        pb::MetricPeriodKind::Round => Some(PeriodKind::Round),
        pb::MetricPeriodKind::Week => Some(PeriodKind::Week),
        pb::MetricPeriodKind::Days => Some(PeriodKind::Days),
    }
}

/// A kind of period as a message has it.
pub fn period_kind_number(kind: PeriodKind) -> pb::MetricPeriodKind {
    match kind {
        PeriodKind::Days => pb::MetricPeriodKind::Days,
        PeriodKind::Week => pb::MetricPeriodKind::Week,
        PeriodKind::Month => pb::MetricPeriodKind::Month,
        PeriodKind::Quarter => pb::MetricPeriodKind::Quarter,
        PeriodKind::HalfYear => pb::MetricPeriodKind::HalfYear,
        PeriodKind::Year => pb::MetricPeriodKind::Year,
        PeriodKind::Wave => pb::MetricPeriodKind::Wave,
        PeriodKind::Campaign => pb::MetricPeriodKind::Campaign,
        PeriodKind::Batch => pb::MetricPeriodKind::Batch,
        PeriodKind::Round => pb::MetricPeriodKind::Round,
    }
}

/// A household basis; `None` for the catalogue's.
pub fn basis(number: i32) -> Option<Basis> {
    match pb::HouseholdBasis::try_from(number).unwrap_or_default() {
        pb::HouseholdBasis::Unspecified => None,
        pb::HouseholdBasis::Managed => Some(Basis::Managed),
        pb::HouseholdBasis::Delivered => Some(Basis::Delivered),
        pb::HouseholdBasis::Occupied => Some(Basis::Occupied),
        pb::HouseholdBasis::Billed => Some(Basis::Billed),
    }
}

/// A household basis as a message has it.
pub fn basis_number(basis: Basis) -> pb::HouseholdBasis {
    match basis {
        Basis::Managed => pb::HouseholdBasis::Managed,
        Basis::Delivered => pb::HouseholdBasis::Delivered,
        Basis::Occupied => pb::HouseholdBasis::Occupied,
        Basis::Billed => pb::HouseholdBasis::Billed,
    }
}

/// A unit as a message has it.
pub fn unit_number(unit: Unit) -> pb::MetricUnit {
    match unit {
        Unit::Rate => pb::MetricUnit::Rate,
        Unit::Seconds | Unit::SecondsInDays | Unit::SecondsAsTheyAre => pb::MetricUnit::Seconds,
        Unit::Points => pb::MetricUnit::Points,
        Unit::Count => pb::MetricUnit::Count,
        Unit::Index => pb::MetricUnit::Index,
        Unit::Nps => pb::MetricUnit::Nps,
        Unit::Currency => pb::MetricUnit::Currency,
        Unit::PerThousand => pb::MetricUnit::PerThousand,
        Unit::RateDifference => pb::MetricUnit::RateDifference,
        Unit::RelativeChange => pb::MetricUnit::RelativeChange,
    }
}

/// A verdict as a message has it.
pub fn verdict_number(verdict: Verdict) -> pb::MetricVerdict {
    match verdict {
        Verdict::NotJudged => pb::MetricVerdict::Unspecified,
        Verdict::Met => pb::MetricVerdict::Met,
        Verdict::Missed => pb::MetricVerdict::Missed,
        Verdict::NoData => pb::MetricVerdict::NoData,
        Verdict::NoTarget => pb::MetricVerdict::NoTarget,
        Verdict::NotDefined => pb::MetricVerdict::NotDefined,
    }
}

/// Code of a kind of case, such as `complaint`.
pub(super) fn kind_code(number: i32) -> Option<String> {
    let kind = common::WorkOrderKind::try_from(number).ok().filter(|kind| *kind != common::WorkOrderKind::Unspecified)?;
    Some(kind.as_str_name().trim_start_matches("WORK_ORDER_KIND_").to_ascii_lowercase())
}

/// A period out of a message; the fault is noted.
pub fn period(bad: &mut Violations, message: Option<&pb::MetricPeriod>) -> Option<Period> {
    let message = bad.required("period", message)?;
    let (from, to) = (bad.date("period.from_date", &message.from_date), bad.date("period.to_date", &message.to_date));
    let period = Period::new(from?, to?);
    if period.is_none() {
        bad.add("period.to_date", "PERIOD_INVALID", "must not be before the first day");
    }
    period
}

/// A period as a message.
pub fn to_period(period: Period) -> pb::MetricPeriod {
    pb::MetricPeriod { from_date: period.from.to_string(), to_date: period.to.to_string() }
}

fn target(target: &Target) -> pb::MetricTarget {
    pb::MetricTarget { direction: direction_number(target.direction).into(), numerator: target.numerator, denominator: target.denominator }
}

fn part(part: &Part) -> pb::MetricPart {
    let (numerator, denominator) = fit(part.numerator, part.denominator);
    pb::MetricPart {
        code: part.code.to_owned(),
        numerator,
        denominator,
        unit: unit_number(part.unit).into(),
        display: part.value().map(|value| part.unit.show(value)).unwrap_or_default(),
        display_unit: part.unit.label().to_owned(),
    }
}

pub(super) fn value(
    definition: &Definition,
    figure: &Figure,
    counted: Period,
    plan_code: &str,
    estate_id: &str,
    as_of: Timestamp,
) -> pb::MetricValue {
    let metric = definition.metric;
    let shown = figure.value().filter(|_| !figure.is_suppressed);
    let (numerator, denominator) = if figure.is_suppressed { (0, 0) } else { fit(figure.numerator, figure.denominator) };
    pb::MetricValue {
        metric_id: metric.id.to_owned(),
        metric_version: definition.version,
        method: definition.method.to_owned(),
        plan_code: plan_code.to_owned(),
        estate_id: estate_id.to_owned(),
        period: Some(to_period(counted)),
        n: figure.n,
        numerator,
        denominator,
        unit: unit_number(metric.unit).into(),
        interval: figure.interval.filter(|_| shown.is_some()).map(|interval| pb::MetricInterval {
            low: interval.low,
            high: interval.high,
            level: super::interval::LEVEL,
            is_finite_population_corrected: interval.is_corrected,
        }),
        target: definition.target.as_ref().map(target),
        verdict: verdict_number(definition.verdict(figure, counted)).into(),
        is_small_sample: metric.unit.rests_on_cases() && shown.is_some() && figure.n < SMALL_SAMPLE,
        as_of_time: Some(crate::proto::to_timestamp(as_of)),
        source: source_number(metric.source).into(),
        formula: metric.formula.to_owned(),
        display: shown.map(|value| metric.unit.show(value)).unwrap_or_default(),
        display_unit: figure.label.clone().unwrap_or_else(|| metric.unit.label().to_owned()),
        period_kind: period_kind_number(definition.period).into(),
        responsible: definition.responsible.clone(),
        reference: definition.reference.clone(),
        baseline: definition.baseline,
        direction: direction_number(definition.direction).into(),
        household_basis: definition.parameters.basis.map_or(0, |basis| basis_number(basis).into()),
        provisional_count: figure.provisional_count,
        late_entry_count: figure.late_entry_count,
        parts: if figure.is_suppressed { Vec::new() } else { figure.parts.iter().map(part).collect() },
        is_census: figure.is_census,
        is_suppressed: figure.is_suppressed,
    }
}

/// A metric that the plan does not define: never a number (P-6).
pub fn not_defined(metric: &'static super::Metric, asked: Period, plan_code: &str, estate_id: &str, as_of: Timestamp) -> pb::MetricValue {
    let definition = Definition::of(metric);
    let mut value = value(&definition, &Figure::no_data(), asked, plan_code, estate_id, as_of);
    value.verdict = pb::MetricVerdict::NotDefined.into();
    value
}

/// As two 64-bit numbers; in lowest terms, and at last to 10^-12, if they do not fit otherwise.
fn fit(numerator: i128, denominator: i128) -> (i64, i64) {
    let both = |numerator: i128, denominator: i128| Some((i64::try_from(numerator).ok()?, i64::try_from(denominator).ok()?));
    let reduced = || super::Ratio::new(numerator, denominator).and_then(|ratio| both(ratio.numerator(), ratio.denominator()));
    let coarse = || super::Ratio::new(numerator, denominator)?.coarse().and_then(|ratio| both(ratio.numerator(), ratio.denominator()));
    both(numerator, denominator).or_else(reduced).or_else(coarse).unwrap_or((0, 0))
}
