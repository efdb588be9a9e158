//! Compact text and factors.

use super::*;

#[test]
fn a_span_reads_back_what_it_writes() {
    for text in ["15min", "3wd", "7d", "3mo", "24h", "4h@business", "1q", "1hy", "1y", "2w", "30s"] {
        assert_eq!(span(text).to_string(), text);
        let json = serde_json::to_string(&span(text)).unwrap();
        assert_eq!(serde_json::from_str::<Span>(&json).unwrap(), span(text));
    }
    assert_eq!(span("15min@24x7").to_string(), "15min");
    assert_eq!(format!("{:#}", span("15min")), "15min@24x7");
    assert_eq!(format!("{:#}", span("3wd")), "3wd@working");
    assert_eq!(span("3d@civil"), span("3d"));
}

/// P-5
#[test]
fn an_unclear_span_is_refused_with_the_reason() {
    let reason = |text: &str| text.parse::<Span>().unwrap_err().to_string();
    assert!(reason("15").contains("no unit"));
    assert!(reason("15m").contains("`m` in `15m` is not a unit"));
    assert!(reason("15 min").contains("is not a unit"));
    assert!(reason("min").contains("does not start with a number"));
    assert!(reason("-3d").contains("does not start with a number"));
    assert!(reason("").contains("does not start with a number"));
    assert!(reason("0min").contains("zero"));
    assert!(reason("15min@").contains("is not a calendar"));
    assert!(reason("15min@Büro").contains("is not a calendar"));
    assert!(reason("3wd@24x7").contains("wd is not counted on calendar 24x7"));
    assert!(reason("3d@business").contains("d is not counted on calendar business"));
    assert!(reason("4h@working").contains("not counted"));
    assert!(reason("101y").contains("longer than the 100y"));
    assert!(reason("99999999999999999999999d").contains("longer than"));
}

/// P-5: a document must name the calendar of each limit, or declare one for the unit
#[test]
fn a_document_without_calendars_gets_no_span_without_one() {
    let none = UnitCalendars::default();
    assert_eq!(Span::parse_with("15min", &none), Err(SpanError::CalendarMissing { text: "15min".into() }));
    assert_eq!(Span::parse_with("15min@24x7", &none).unwrap(), span("15min"));
    let office = UnitCalendars { clock: Some(CalendarId::Hours("business".into())), ..none };
    assert_eq!(Span::parse_with("4h", &office).unwrap(), span("4h@business"));
    assert!(Span::parse_with("3wd", &office).is_err());
}

/// WO-71
#[test]
fn a_factor_extends_exactly_and_never_shortens() {
    let extended = |limit: &str, factor: &str| span(limit).extended_by(factor.parse().unwrap()).unwrap().to_string();
    assert_eq!(extended("30min", "1.5"), "45min");
    assert_eq!(extended("15min", "3/2"), "1350s");
    assert_eq!(extended("1s", "3/2"), "2s");
    assert_eq!(extended("4h@business", "3/2"), "6h@business");
    assert_eq!(extended("3wd", "3/2"), "5wd");
    assert_eq!(extended("1w", "3/2"), "11d");
    assert_eq!(extended("1q", "3/2"), "5mo");
    assert_eq!(extended("7d", "1"), "7d");
    assert_eq!("1.50".parse::<Factor>().unwrap().to_string(), "3/2");
    for bad in ["0.5", "1/2", "x", "1.", "3/0", "-1", "1.0000001", "99999.999999"] {
        assert!(bad.parse::<Factor>().is_err(), "{bad}");
    }
    assert!(span("100y").extended_by("2".parse().unwrap()).is_err());
}
