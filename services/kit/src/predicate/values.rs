//! The values of a condition, read in the type of its field.

use jiff::civil::Date;
use steward_proto::common::v1 as pb;
use steward_proto::common::v1::value::Kind;

use super::catalogue::Field;
use super::compiled::{Bound, Operands};
use super::fact::FactType;
use crate::calendar::{CalendarId, Family, Span, Unit};
use crate::error::Violations;

/// Reads values for a field and notes what is wrong with each at its place.
pub(super) struct Values<'a> {
    pub(super) field: &'a Field,
    pub(super) path: &'a str,
    pub(super) values: &'a [pb::Value],
    pub(super) bad: &'a mut Violations,
}

impl Values<'_> {
    /// Exactly `count` of them; notes it otherwise.
    pub(super) fn counted(&mut self, count: usize) -> bool {
        let fits = self.values.len() == count;
        if !fits {
            let text = match count {
                0 => "takes no value".to_owned(),
                1 => "takes exactly one value".to_owned(),
                more => format!("takes exactly {more} values"),
            };
            self.bad.add(format!("{}.values", self.path), "PREDICATE_VALUE_COUNT", text);
        }
        fits
    }

    /// At least one of them; notes it otherwise.
    pub(super) fn some(&mut self) -> bool {
        if self.values.is_empty() {
            self.bad.add(format!("{}.values", self.path), "PREDICATE_VALUE_COUNT", "takes at least one value");
        }
        !self.values.is_empty()
    }

    /// All of them, in the type of the field.
    pub(super) fn operands(&mut self) -> Option<Operands> {
        Some(match self.field.fact_type {
            FactType::Code | FactType::Codes => Operands::Codes(self.codes()?),
            FactType::Integer => Operands::Integers(self.each(|kind| if let Kind::Integer(n) = kind { Some(*n) } else { None })?),
            FactType::Decimal => Operands::Decimals(self.each(decimal)?),
            FactType::Boolean => Operands::Booleans(self.each(|kind| if let Kind::Boolean(truth) = kind { Some(*truth) } else { None })?),
            FactType::Date => Operands::Dates(self.each(date)?),
        })
    }

    /// Codes that the field can have.
    pub(super) fn codes(&mut self) -> Option<Vec<String>> {
        let codes = self.each(|kind| if let Kind::Text(text) = kind { Some(text.clone()) } else { None })?;
        let known = &self.field.codes;
        let mut all_known = true;
        for (at, code) in codes.iter().enumerate() {
            if !known.is_empty() && !known.contains(&code.as_str()) {
                let text = format!("must be one of: {}", known.join(", "));
                self.bad.add(format!("{}.values[{at}]", self.path), "PREDICATE_CODE_UNKNOWN", text);
                all_known = false;
            }
        }
        all_known.then_some(codes)
    }

    /// The ends of a range, one or two.
    pub(super) fn bounds(&mut self) -> Option<Vec<Bound>> {
        match self.field.fact_type {
            FactType::Decimal => self.each(|kind| decimal(kind).map(Bound::Decimal)),
            FactType::Date => self.each(|kind| date(kind).map(Bound::Date)),
            FactType::Integer | FactType::Code | FactType::Codes | FactType::Boolean => {
                self.each(|kind| if let Kind::Integer(n) = kind { Some(Bound::Integer(*n)) } else { None })
            }
        }
    }

    /// The one span.
    pub(super) fn span(&mut self) -> Option<Span> {
        let at = format!("{}.values[0]", self.path);
        let Some(Kind::Span(span)) = self.values.first().and_then(|value| value.kind.as_ref()) else {
            self.bad.add(at, "PREDICATE_VALUE_TYPE", "must be a span such as 3 months of the calendar `civil`");
            return None;
        };
        let at = format!("{at}.span");
        let Some(unit) = unit(span.unit()) else {
            self.bad.add(format!("{at}.unit"), "PREDICATE_SPAN_INVALID", "must be a day or a longer unit of the calendar");
            return None;
        };
        if span.calendar.is_empty() {
            self.bad.add(format!("{at}.calendar"), "PREDICATE_SPAN_INVALID", "must name its calendar: `civil`");
            return None;
        }
        let made = span.calendar.parse::<CalendarId>().and_then(|calendar| Span::new(span.value, unit, calendar));
        match made {
            Ok(made) => Some(made),
            Err(error) => {
                self.bad.add(at, "PREDICATE_SPAN_INVALID", error.to_string());
                None
            }
        }
    }

    fn each<T>(&mut self, read: impl Fn(&Kind) -> Option<T>) -> Option<Vec<T>> {
        let before = self.values.len();
        let mut good = Vec::with_capacity(before);
        for (at, value) in self.values.iter().enumerate() {
            match value.kind.as_ref().and_then(&read) {
                Some(value) => good.push(value),
                None => {
                    let text = format!("{} takes a {}", self.field.name, self.field.fact_type.noun());
                    self.bad.add(format!("{}.values[{at}]", self.path), "PREDICATE_VALUE_TYPE", text);
                }
            }
        }
        (good.len() == before).then_some(good)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a whole number beyond 2^53 in a decimal comparison is rounded, in SQL as here")]
fn decimal(kind: &Kind) -> Option<f64> {
    match kind {
        Kind::Decimal(number) => Some(*number).filter(|number| number.is_finite()),
        Kind::Integer(number) => Some(*number as f64),
        Kind::Text(_) | Kind::Boolean(_) | Kind::Date(_) | Kind::Span(_) => None,
    }
}

fn date(kind: &Kind) -> Option<Date> {
    if let Kind::Date(text) = kind { crate::proto::date(text) } else { None }
}

/// Units that count back from a date.
fn unit(unit: pb::Unit) -> Option<Unit> {
    let unit = match unit {
        pb::Unit::Unspecified => return None,
        pb::Unit::Second => Unit::Second,
        pb::Unit::Minute => Unit::Minute,
        pb::Unit::Hour => Unit::Hour,
        pb::Unit::WorkingDay => Unit::WorkingDay,
        pb::Unit::Day => Unit::Day,
        pb::Unit::Week => Unit::Week,
        pb::Unit::Month => Unit::Month,
        pb::Unit::Quarter => Unit::Quarter,
        pb::Unit::HalfYear => Unit::HalfYear,
        pb::Unit::Year => Unit::Year,
    };
    (unit.family() == Family::CivilDays).then_some(unit)
}
