//! Between protobuf's time types and ours.
//!
//! Instants are `jiff::Timestamp`, spans `jiff::SignedDuration`, local dates `jiff::civil::Date`. Reading may fail
//! (a client can send anything) and returns `None`; writing cannot. Microseconds are kept, what is finer is cut,
//! because that is what Postgres keeps.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use steward_proto::common::v1 as common;

use crate::calendar::{Span, SpanError, Unit};

/// Reads an instant; `None` outside the range or with nanos outside 0..1e9.
pub fn timestamp(value: &prost_types::Timestamp) -> Option<Timestamp> {
    if !(0..1_000_000_000).contains(&value.nanos) {
        return None;
    }
    Timestamp::new(value.seconds, value.nanos / 1000 * 1000).ok()
}

/// Writes an instant.
pub fn to_timestamp(value: Timestamp) -> prost_types::Timestamp {
    // jiff's parts carry the instant's sign; protobuf's nanos are never negative.
    let seconds = value.as_nanosecond().div_euclid(1_000_000_000);
    let nanos = value.as_nanosecond().rem_euclid(1_000_000_000);
    prost_types::Timestamp { seconds: narrow(seconds), nanos: narrow(nanos) }
}

/// A number that is known to fit by the range of `jiff::Timestamp`.
fn narrow<T: TryFrom<i128> + Default>(value: i128) -> T {
    T::try_from(value).unwrap_or_default()
}

/// Reads a span; `None` when seconds and nanos disagree in sign or nanos are a whole second or more.
pub fn duration(value: &prost_types::Duration) -> Option<SignedDuration> {
    let agree = value.seconds == 0 || value.nanos == 0 || (value.seconds < 0) == (value.nanos < 0);
    (agree && value.nanos.unsigned_abs() < 1_000_000_000).then(|| SignedDuration::new(value.seconds, value.nanos))
}

/// Writes a span.
pub fn to_duration(value: SignedDuration) -> prost_types::Duration {
    prost_types::Duration { seconds: value.as_secs(), nanos: value.subsec_nanos() }
}

/// Reads a local date written `YYYY-MM-DD`, and nothing else. The year 9999 is left out: every date that is taken in has a day after
/// it, and a midnight in every zone.
pub fn date(text: &str) -> Option<Date> {
    // jiff reads more than one spelling; the API has one.
    let spelled = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    spelled.then(|| text.parse().ok()).flatten().filter(|date: &Date| date.year() < 9999)
}

/// Writes a local date as `YYYY-MM-DD`.
pub fn to_date(value: Date) -> String {
    value.to_string()
}

/// Reads a length of time as a rule states it.
///
/// # Errors
/// No unit, zero, no calendar, or a calendar that does not count the unit.
pub fn span(value: &common::Span) -> Result<Span, SpanError> {
    let unit = unit(value.unit()).ok_or_else(|| SpanError::UnitMissing { text: value.value.to_string() })?;
    Span::new(value.value, unit, value.calendar.parse()?)
}

/// Writes a length of time as a rule states it.
pub fn to_span(value: &Span) -> common::Span {
    let unit = match value.unit() {
        Unit::Second => common::Unit::Second,
        Unit::Minute => common::Unit::Minute,
        Unit::Hour => common::Unit::Hour,
        Unit::WorkingDay => common::Unit::WorkingDay,
        Unit::Day => common::Unit::Day,
        Unit::Week => common::Unit::Week,
        Unit::Month => common::Unit::Month,
        Unit::Quarter => common::Unit::Quarter,
        Unit::HalfYear => common::Unit::HalfYear,
        Unit::Year => common::Unit::Year,
    };
    common::Span { value: value.value(), unit: unit.into(), calendar: value.calendar().as_str().to_owned() }
}

fn unit(unit: common::Unit) -> Option<Unit> {
    Some(match unit {
        common::Unit::Unspecified => return None,
        common::Unit::Second => Unit::Second,
        common::Unit::Minute => Unit::Minute,
        common::Unit::Hour => Unit::Hour,
        common::Unit::WorkingDay => Unit::WorkingDay,
        common::Unit::Day => Unit::Day,
        common::Unit::Week => Unit::Week,
        common::Unit::Month => Unit::Month,
        common::Unit::Quarter => Unit::Quarter,
        common::Unit::HalfYear => Unit::HalfYear,
        common::Unit::Year => Unit::Year,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_instant_before_1970_keeps_its_nanos_positive() {
        let wire = to_timestamp("1969-12-31T23:59:59.25Z".parse().expect("parses"));
        assert_eq!(wire, prost_types::Timestamp { seconds: -1, nanos: 250_000_000 });
    }

    #[test]
    fn what_is_no_instant_or_span_is_refused() {
        assert_eq!(timestamp(&prost_types::Timestamp { seconds: 0, nanos: -1 }), None);
        assert_eq!(timestamp(&prost_types::Timestamp { seconds: 0, nanos: 1_000_000_000 }), None);
        assert_eq!(timestamp(&prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }), None);
        assert_eq!(duration(&prost_types::Duration { seconds: 1, nanos: -1 }), None);
        assert_eq!(duration(&prost_types::Duration { seconds: 0, nanos: 1_000_000_000 }), None);
        assert_eq!(duration(&prost_types::Duration { seconds: 0, nanos: i32::MIN }), None);
    }

    #[test]
    fn dates_have_one_spelling() {
        assert_eq!(date("2026-02-28"), Some(jiff::civil::date(2026, 2, 28)));
        for text in ["", "2026-2-28", "20260228", "2026-02-30", "2026-02-28T00:00", "２０26-02-28", "2026/02/28", "9999-12-31"] {
            assert_eq!(date(text), None, "{text}");
        }
        assert_eq!(to_date(jiff::civil::date(26, 2, 8)), "0026-02-08");
    }

    proptest! {
        #[test]
        fn instants_survive_the_wire(micros in -62_000_000_000_000_000i64..250_000_000_000_000_000) {
            let instant = Timestamp::from_microsecond(micros).expect("in range");
            prop_assert_eq!(timestamp(&to_timestamp(instant)), Some(instant));
        }

        #[test]
        fn spans_survive_the_wire(millis in any::<i64>()) {
            let span = SignedDuration::from_millis(millis);
            prop_assert_eq!(duration(&to_duration(span)), Some(span));
        }
    }
}
