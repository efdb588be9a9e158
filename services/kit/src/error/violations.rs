//! Every bad field of a request, collected before anything is refused.

use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use steward_proto::common::v1 as common;

use crate::calendar::{Span, SpanError};
use crate::error::{Error, Result};
use crate::ids::Id;

/// One bad field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path in the request, as the proto names it: `work_order.appointment.start_time`.
    pub field: String,
    /// Rule that was broken, stable: `required`, `string.max_len`.
    pub reason: &'static str,
    /// One sentence for people. Never repeats the value: it may be personal data.
    pub description: String,
}

/// Collects violations while a request is decoded; [`Violations::finish`] refuses if there are any.
///
/// The parsers return `None` for a bad value after noting why, so a decoder reads straight down and builds its result
/// at the end:
///
/// ```
/// # use steward_kit::{Result, error::Violations, ids::{EstateId, UnitId}};
/// struct Command { estate: EstateId, unit: UnitId }
/// fn decode(estate: &str, unit: &str) -> Result<Command> {
///     let mut bad = Violations::new();
///     let estate = bad.id("estate_id", estate);
///     let unit = bad.id("unit_id", unit);
///     bad.build(|| Some(Command { estate: estate?, unit: unit? }))
/// }
/// assert!(decode("", "not an id").is_err());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything that breaks the rules declared in the request's `.proto`.
    pub fn of(request: &impl steward_proto::Validate) -> Self {
        let mut broken = Vec::new();
        request.validate(&steward_proto::FieldPath::ROOT, &mut broken);
        let violation = |rule: steward_proto::RuleViolation| Violation {
            field: rule.field,
            reason: rule.rule,
            description: rule.description.to_owned(),
        };
        Self(broken.into_iter().map(violation).collect())
    }

    /// Notes one bad field.
    ///
    /// A field is told once for each reason, so that a decoder may parse what the declared rules have already refused.
    pub fn add(&mut self, field: impl Into<String>, reason: &'static str, description: impl Into<String>) {
        let field = field.into();
        if !self.0.iter().any(|known| known.field == field && known.reason == reason) {
            self.0.push(Violation { field, reason, description: description.into() });
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong so far, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.0.iter()
    }

    /// Refuses if anything is wrong.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every violation.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }

    /// The decoded value, or every violation.
    ///
    /// # Errors
    /// [`Error::Invalid`]; [`Error::Internal`] if `value` gives nothing although nothing was noted.
    pub fn build<T>(self, value: impl FnOnce() -> Option<T>) -> Result<T> {
        self.finish()?;
        value().ok_or_else(|| Error::bug("a decoder found no violation, yet could not build its value"))
    }

    /// A field that must be there.
    pub fn required<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.missing(field);
        }
        value
    }

    /// A text that must not be blank, trimmed.
    pub fn text(&mut self, field: &str, value: &str) -> Option<String> {
        let trimmed = value.trim();
        if trimmed.is_empty() {
            self.missing(field);
            return None;
        }
        Some(trimmed.to_owned())
    }

    /// An id that must be there.
    pub fn id<T: Id>(&mut self, field: &str, value: &str) -> Option<T> {
        if value.is_empty() {
            self.missing(field);
            return None;
        }
        self.optional_id(field, value)
    }

    /// An id that may be empty: `None` then, and nothing is noted.
    pub fn optional_id<T: Id>(&mut self, field: &str, value: &str) -> Option<T> {
        if value.is_empty() {
            return None;
        }
        let id = crate::ids::parse_uuid(value).map(T::from);
        if id.is_none() {
            self.add(field, "string.uuid", format!("must be a hyphenated UUID: the {} id", T::NOUN));
        }
        id
    }

    /// Ids, every bad one named by its place.
    pub fn ids<T: Id>(&mut self, field: &str, values: &[String]) -> Vec<T> {
        values.iter().enumerate().filter_map(|(at, value)| self.id(&format!("{field}[{at}]"), value)).collect()
    }

    /// An instant that must be there.
    pub fn timestamp(&mut self, field: &str, value: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
        let value = self.required(field, value)?;
        self.optional_timestamp(field, Some(value))
    }

    /// An instant that may be unset.
    pub fn optional_timestamp(&mut self, field: &str, value: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
        let instant = crate::proto::timestamp(value?);
        if instant.is_none() {
            self.add(field, "timestamp", "must be an instant between the years 1 and 9999");
        }
        instant
    }

    /// A length of time as a rule states it, with its calendar.
    pub fn span(&mut self, field: &str, value: &common::Span) -> Option<Span> {
        match crate::proto::span(value) {
            Ok(span) => Some(span),
            Err(SpanError::UnitMissing { .. }) => {
                // The declared rules may have noted it already.
                let unit = format!("{field}.unit");
                if !self.iter().any(|noted| noted.field == unit) {
                    self.add(unit, "enum.defined_only", "must be given, as a value this version knows");
                }
                None
            }
            Err(fault) => {
                self.add(field, "CALENDAR_UNKNOWN", fault.to_string());
                None
            }
        }
    }

    /// A span that must be there.
    pub fn duration(&mut self, field: &str, value: Option<&prost_types::Duration>) -> Option<SignedDuration> {
        let value = self.required(field, value)?;
        self.optional_duration(field, Some(value))
    }

    /// A span that may be unset.
    pub fn optional_duration(&mut self, field: &str, value: Option<&prost_types::Duration>) -> Option<SignedDuration> {
        let span = crate::proto::duration(value?);
        if span.is_none() {
            self.add(field, "duration", "must be a span whose seconds and nanos have one sign");
        }
        span
    }

    /// A local date that must be there, `YYYY-MM-DD`.
    pub fn date(&mut self, field: &str, value: &str) -> Option<Date> {
        if value.is_empty() {
            self.missing(field);
            return None;
        }
        self.optional_date(field, value)
    }

    /// A local date that may be empty.
    pub fn optional_date(&mut self, field: &str, value: &str) -> Option<Date> {
        if value.is_empty() {
            return None;
        }
        let date = crate::proto::date(value);
        if date.is_none() {
            self.add(field, "date", "must be a date written YYYY-MM-DD, before the year 9999");
        }
        date
    }

    /// A proto enum that must be given: neither `UNSPECIFIED` (0) nor a value this version does not know.
    pub fn enumeration<E: TryFrom<i32>>(&mut self, field: &str, value: i32) -> Option<E> {
        if value == 0 {
            self.missing(field);
            return None;
        }
        self.optional_enumeration(field, value)
    }

    /// A proto enum that may be `UNSPECIFIED`: `None` then.
    pub fn optional_enumeration<E: TryFrom<i32>>(&mut self, field: &str, value: i32) -> Option<E> {
        if value == 0 {
            return None;
        }
        let known = E::try_from(value).ok();
        if known.is_none() {
            self.add(field, "enum.defined_only", "must be a value this version knows");
        }
        known
    }

    fn missing(&mut self, field: &str) {
        self.add(field, "required", "must be given");
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, violation) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(out, "{separator}{} {}", violation.field, violation.description)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use steward_proto::survey::v1::PlanSampleRequest;

    use super::Violations;

    /// NaN compares with no bound, and so breaks every one.
    #[test]
    fn what_is_not_a_number_is_within_no_bounds() {
        let asked = PlanSampleRequest { populations: Vec::new(), confidence: f64::NAN, margin: 0.05, expected_rate: f64::INFINITY };
        let mut broken: Vec<String> = Violations::of(&asked).0.into_iter().map(|v| format!("{} {}", v.field, v.reason)).collect();
        broken.sort();
        let expected = ["confidence double.gte", "confidence double.lte", "expected_rate double.lte", "populations repeated.min_items"];
        assert_eq!(broken, expected);
    }
}
