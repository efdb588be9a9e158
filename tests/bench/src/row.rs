//! One line of the table: what was measured, beside what, and what was promised.

use serde::Serialize;

use crate::paired::Pairs;

/// A number with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
}

/// What a row has to reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

/// How a row came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// The moonshot is reached, and so the bar.
    Moonshot,
    /// The bar is reached.
    Met,
    /// It is not.
    Missed,
    /// Nothing was promised: told for comparison.
    Told,
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// The number in the list of bars; 0 for what is not in it.
    pub(crate) number: u8,
    /// What was measured, in a few words.
    pub(crate) name: String,
    /// The product's figure.
    pub(crate) product: Figure,
    /// What the same machine did in the same run without the product.
    pub(crate) limit: Option<Figure>,
    /// Product by limit.
    pub(crate) ratio: Option<f64>,
    pub(crate) bar: Option<Goal>,
    pub(crate) moonshot: Option<Goal>,
    /// What explains the figure: the load, the spread, parts of it.
    pub(crate) note: String,
}

impl Row {
    /// A figure by itself; the bar is about the figure.
    pub(crate) fn value(number: u8, name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            number,
            name: name.into(),
            product: Figure { value, unit },
            limit: None,
            ratio: None,
            bar: None,
            moonshot: None,
            note: String::new(),
        }
    }

    /// Product against limit, once each; the bar is about the ratio.
    pub(crate) fn ratio(number: u8, name: impl Into<String>, product: f64, limit: f64, unit: &'static str) -> Self {
        let row = Self::value(number, name, product, unit);
        Self { limit: Some(Figure { value: limit, unit }), ratio: Some(product / limit), ..row }
    }

    /// Product against limit by turns; the bar is about the median of the paired ratios.
    pub(crate) fn paired(number: u8, name: impl Into<String>, pairs: &Pairs, unit: &'static str) -> Self {
        let row = Self::ratio(number, name, pairs.product(), pairs.limit(), unit);
        Self { ratio: Some(pairs.ratio()), note: pairs.spread(), ..row }
    }

    /// Sets bar and moonshot: no less.
    pub(crate) fn at_least(self, bar: f64, moonshot: f64) -> Self {
        Self { bar: Some(Goal::AtLeast(bar)), moonshot: Some(Goal::AtLeast(moonshot)), ..self }
    }

    /// Sets bar and moonshot: no more.
    pub(crate) fn at_most(self, bar: f64, moonshot: f64) -> Self {
        Self { bar: Some(Goal::AtMost(bar)), moonshot: Some(Goal::AtMost(moonshot)), ..self }
    }

    /// Sets a bar where no moonshot was named.
    pub(crate) fn bar(self, bar: Goal) -> Self {
        Self { bar: Some(bar), moonshot: None, ..self }
    }

    /// Shows what the figure stands beside where the bar is about the figure itself, as with a wait added to a limit.
    pub(crate) fn beside(self, value: f64, unit: &'static str) -> Self {
        Self { limit: Some(Figure { value, unit }), ..self }
    }

    /// Adds an explanation.
    pub(crate) fn note(mut self, text: impl AsRef<str>) -> Self {
        if !self.note.is_empty() {
            self.note.push_str("; ");
        }
        self.note.push_str(text.as_ref());
        self
    }

    /// What the bar is about: the ratio where there is one, else the figure.
    pub(crate) fn judged(&self) -> f64 {
        self.ratio.unwrap_or(self.product.value)
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let is_met = |goal: Option<Goal>| goal.map(|goal| goal.is_met_by(self.judged()));
        match (is_met(self.bar), is_met(self.moonshot)) {
            (None, _) => Verdict::Told,
            (Some(false), _) => Verdict::Missed,
            (Some(true), Some(true)) => Verdict::Moonshot,
            (Some(true), Some(false) | None) => Verdict::Met,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_judged_by_its_ratio_where_it_has_one() {
        let row = Row::ratio(1, "create", 800.0, 1000.0, "/s").at_least(0.7, 0.9);
        assert_eq!(row.verdict(), Verdict::Met);
        assert_eq!(row.clone().at_least(0.7, 0.8).verdict(), Verdict::Moonshot);
        assert_eq!(row.at_least(0.9, 0.95).verdict(), Verdict::Missed);
    }

    #[test]
    fn a_value_may_not_exceed_its_bar() {
        let row = Row::value(17, "idle", 25.1, "MiB");
        assert_eq!(row.clone().verdict(), Verdict::Told);
        assert_eq!(row.clone().at_most(25.0, 15.0).verdict(), Verdict::Missed);
        assert_eq!(row.bar(Goal::AtMost(25.1)).verdict(), Verdict::Met);
    }
}
