//! What the cases of a period cost: its complaints and callbacks, as they were counted, by the plan's table of costs (WO-65). The counts
//! are those of other figures; where a plan does not show them they are asked for all the same, and not shown.

use std::borrow::Cow;

use jiff::Timestamp;
use steward_kit::metric::{Costs, Definition, Period, Volumes, case_cost};
use steward_proto::metric::v1::{MetricDefinition, MetricValue};
use steward_proto::plan::v1::CostTable;

use super::definitions::Definitions;

/// The figure.
pub(super) const CASE_COST: &str = "case_cost";

/// Complaints that happened.
const COMPLAINTS: &str = "complaint_count";
/// Callbacks, of which the part [`MADE`] was made.
const CALLBACKS: &str = "callback_coverage";
/// Callbacks that were made or properly tried.
const MADE: &str = "attempted";

/// Definitions and wanted metrics, with what the figure is made of.
pub(super) struct WithInputs<'a> {
    pub(super) definitions: Cow<'a, Definitions>,
    pub(super) only: Cow<'a, [String]>,
    /// Metrics asked for that nobody wants to see.
    hidden: Vec<&'static str>,
}

impl<'a> WithInputs<'a> {
    pub(super) fn of(definitions: &'a Definitions, only: &'a [String]) -> Self {
        let is_defined = |id: &str| definitions.metrics.iter().any(|metric| metric.metric_id == id);
        let is_wanted = |id: &str| only.is_empty() || only.iter().any(|wanted| wanted == id);
        let mut with = Self { definitions: Cow::Borrowed(definitions), only: Cow::Borrowed(only), hidden: Vec::new() };
        if definitions.cost.is_none() || !is_defined(CASE_COST) || !is_wanted(CASE_COST) {
            return with;
        }
        for id in [COMPLAINTS, CALLBACKS] {
            if !is_defined(id) {
                with.definitions.to_mut().metrics.push(MetricDefinition { metric_id: id.to_owned(), ..MetricDefinition::default() });
            }
            if !is_wanted(id) {
                with.only.to_mut().push(id.to_owned());
            }
            if !(is_defined(id) && is_wanted(id)) {
                with.hidden.push(id);
            }
        }
        with
    }

    /// Takes out what nobody wants to see.
    pub(super) fn hide(&self, values: &mut Vec<MetricValue>) {
        values.retain(|value| !self.hidden.contains(&value.metric_id.as_str()));
    }
}

/// The figure of every estate, and of all of them, for which both counts were answered.
pub(super) fn values(
    definition: &Definition,
    cost: &CostTable,
    asked: Period,
    plan_code: &str,
    counted: &[MetricValue],
    as_of: Timestamp,
) -> Vec<MetricValue> {
    let costs = Costs { per_complaint: cost.per_complaint, per_callback: cost.per_callback, ..Costs::default() };
    let of = |id: &'static str| counted.iter().filter(move |value| value.metric_id == id);
    of(COMPLAINTS)
        .filter_map(|complaints| {
            let callbacks = of(CALLBACKS).find(|value| value.estate_id == complaints.estate_id)?;
            let made = callbacks.parts.iter().find(|part| part.code == MADE).map_or(0, |part| part.numerator);
            let volumes = Volumes { complaints: complaints.numerator, callbacks: made, ..Volumes::default() };
            let figure = case_cost(&costs, &volumes);
            Some(definition.value(&figure, definition.period_for(asked), plan_code, &complaints.estate_id, as_of))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use steward_kit::metric::metric;
    use steward_proto::metric::v1::MetricPart;

    use super::*;

    fn counted(id: &str, numerator: i64, made: i64) -> MetricValue {
        let part = MetricPart { code: MADE.to_owned(), numerator: made, denominator: made, ..MetricPart::default() };
        MetricValue { metric_id: id.to_owned(), numerator, denominator: 1, parts: vec![part], ..MetricValue::default() }
    }

    fn cost() -> CostTable {
        CostTable { currency: "CNY".to_owned(), per_complaint: 100, per_callback: 50, ..CostTable::default() }
    }

    /// WO-65: fifty complaints of a month cost 5,000 by the table of the plan, and its hundred callbacks as much.
    #[test]
    fn fifty_complaints_of_a_month_cost_five_thousand() {
        let definition = Definition::of(metric(CASE_COST, None).unwrap());
        let march = Period::new(date(2026, 3, 1), date(2026, 3, 31)).unwrap();
        let facts = [counted(COMPLAINTS, 50, 0), counted(CALLBACKS, 90, 100)];
        let values = values(&definition, &cost(), march, "service-management", &facts, Timestamp::UNIX_EPOCH);
        let [value] = values.as_slice() else { panic!("{values:?}") };
        assert_eq!(value.display, "10000");
        let part = |code: &str| value.parts.iter().find(|part| part.code == code).map(|part| part.numerator);
        assert_eq!((part("cost_complaints"), part("cost_callbacks")), (Some(5_000), Some(5_000)));
    }

    /// What it is made of is asked for, and shown only to whoever asked for it.
    #[test]
    fn its_counts_are_asked_for_and_not_shown() {
        let metrics = vec![MetricDefinition { metric_id: CASE_COST.to_owned(), ..MetricDefinition::default() }];
        let definitions = Definitions { plan_code: "p".to_owned(), metrics, cost: Some(cost()) };
        let only = [CASE_COST.to_owned()];
        let with = WithInputs::of(&definitions, &only);
        assert_eq!((with.definitions.metrics.len(), with.only.len()), (3, 3));
        let mut values = vec![counted(COMPLAINTS, 1, 0), counted(CASE_COST, 1, 0)];
        with.hide(&mut values);
        assert_eq!(values.iter().map(|value| value.metric_id.as_str()).collect::<Vec<_>>(), [CASE_COST]);
        let none = Definitions { cost: None, ..definitions.clone() };
        assert_eq!(WithInputs::of(&none, &only).definitions.metrics.len(), 1, "without a table it costs nothing");
    }
}
