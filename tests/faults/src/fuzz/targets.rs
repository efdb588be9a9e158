//! The parsers.

use std::{str::FromStr as _, sync::Arc};

use jiff::civil::date;
use prost::Message as _;
use steward_customer::domain::register_file::RegisterFile;
use steward_harness::{AUDIENCE, Claims, ISSUER, Issuer};
use steward_kit::{
    auth::{self, JwksSource, TokenVerifier},
    calendar::{CalendarId, DailyWindow, DayTime, Factor, HolidayYear, RegionKey, Span},
    clock::Clock,
    crypto::{FieldCipher, Keyring},
    error::Violations,
    paging::{PageTokens, Query},
    pii::Phone,
    predicate::{Catalogue, Compiled, Fact, Truth, ask},
    proto,
};
use steward_proto::common::v1 as pb;

use super::Target;

/// Every target.
///
/// # Errors
/// The tests' issuer has no keys.
pub fn all() -> anyhow::Result<Vec<Target>> {
    Ok(vec![
        register_file(),
        spans(),
        calendar_words(),
        holiday_years(),
        predicates(),
        page_tokens()?,
        tokens()?,
        phones(),
        protobuf_times(),
    ])
}

fn target(name: &'static str, corpus: &[&str], run: impl Fn(&[u8]) -> Result<(), String> + 'static) -> Target {
    Target { name, corpus: corpus.iter().map(|text| text.as_bytes().to_vec()).collect(), run: Box::new(run) }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, one: &T, other: &T) -> Result<(), String> {
    if one == other { Ok(()) } else { Err(format!("{what}: {one:?}, then {other:?}")) }
}

/// The register of an estate: the same bytes give the same rows; each row has a line of the file.
fn register_file() -> Target {
    const HEADER: &str = "楼栋,单元,房号,楼层,物业类型,面积,交付日期,使用状态,客户类型,姓名,电话,邮箱,证件号,语言,身份,起始日期,截止日期\n";
    let rows = [
        "1,1,101,1,住宅,89.5,2024-05-01,自住,个人,王芳,13800138000,wang@example.org,,zh-CN,业主,2024-05-01,\n",
        "2,,S-3,,商铺,120,,,企业,某某公司,0571-88888888,,91330100MA00000000,,租户,,2030-12-31\n",
        "\"1\",\"1\",\"1\n01\",-1,,\"1,200.5\",45000,空置,,,,,,,,,\n",
    ];
    let whole = format!("{HEADER}{}", rows.concat());
    let english = "building,unit,floor,delivery_date,role,name\r\nA,1,2,2024/5/1,owner,Li Lei\r\n";
    let marked = format!("\u{feff}{HEADER}{}", rows[0]);
    let mut made = target("register as CSV", &[&whole, english, &marked, rows[1], "building,unit\n1,1\n"], |bytes| {
        let read = || RegisterFile::read(bytes, date(2026, 7, 14));
        let (first, second) = (read(), read());
        let lines = bytes.iter().filter(|byte| [b'\n', b'\r'].contains(byte)).count() + 1;
        match (&first, &second) {
            (Ok(file), Ok(again)) => {
                same("rows", &file.rows.len(), &again.rows.len())?;
                if file.rows.windows(2).any(|two| two[0].line >= two[1].line) {
                    return Err("two rows of one line".to_owned());
                }
                for row in &file.rows {
                    if row.line < 2 || usize::try_from(row.line).is_ok_and(|line| line > lines) {
                        return Err(format!("a row of line {} in a file of {lines}", row.line));
                    }
                    if row.outcome.as_ref().is_err_and(Vec::is_empty) {
                        return Err(format!("line {} is refused without a problem", row.line));
                    }
                }
                Ok(())
            }
            (Err(failure), Err(again)) => same("failure", failure, again),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => Err("read once and refused once".to_owned()),
        }
    });
    // As spreadsheets of this country save it.
    made.corpus.push(vec![0xc2, 0xa5, 0xb6, 0xb0, b',', 0xb7, 0xbf, 0xba, 0xc5, b'\n', b'1', b',', b'1', b'\n']);
    made
}

/// `15min`, `3wd`, `4h@business`: what is read is written so that it is read again.
fn spans() -> Target {
    let corpus =
        ["15min", "3wd", "7d", "3mo", "4h@business", "15min@24x7", "1q", "1y", "2w", "90s", "1hy", " 15 min ", "0d", "4294967295s"];
    target("spans", &corpus, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let Ok(span) = Span::from_str(&text) else { return Ok(()) };
        let again = Span::from_str(&span.to_string()).map_err(|error| format!("{span} is not read again: {error}"))?;
        same("span", &span, &again)
    })
}

/// Times of day, windows, calendars, regions, factors.
fn calendar_words() -> Target {
    let corpus =
        ["08:00", "24:00", "21:00-08:00", "08:00-12:00", "24x7", "civil", "business", "CN", "CN-33", "3/2", "1.5", "-08:00", "99:99"];
    target("words of calendars", &corpus, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(time) = DayTime::from_str(&text) {
            same("time of day", &Ok(time), &DayTime::from_str(&time.to_string()))?;
        }
        drop((DailyWindow::from_str(&text), RegionKey::from_str(&text), Factor::from_str(&text)));
        match CalendarId::from_str(&text) {
            Ok(calendar) => same("calendar", &Some(calendar.clone()), &CalendarId::from_str(&calendar.to_string()).ok()),
            Err(_) => Ok(()),
        }
    })
}

/// The official days of a year.
fn holiday_years() -> Target {
    let day = r#"{"name":"元旦","date":"2027-01-01","isOffDay":true}"#;
    let whole = format!(
        r#"{{"year":2027,"papers":["https://example.org/notice"],"days":[{day},{{"name":"x","date":"2027-01-02","isOffDay":false}}]}}"#
    );
    target("holiday years", &[&whole, day, r#"{"year":2027,"days":[]}"#, r#"{"year":99999999,"days":[null]}"#], |bytes| {
        drop(HolidayYear::parse(&String::from_utf8_lossy(bytes)));
        Ok(())
    })
}

/// Conditions: compiled within their bounds or refused with a reason; and what is compiled can be evaluated, with and without facts.
fn predicates() -> Target {
    let tree = ask::all([
        ask::equals("household.occupancy", ["leased", "owner_occupied"]),
        ask::any([ask::is_true("household.has_major_complaint"), ask::not(ask::missing("customer.tier"))]),
        ask::between("household.member_count", 1, 4),
        ask::within_last("household.moved_in_date", 3, pb::Unit::Month),
        ask::has_any("customer.tags", ["vip"]),
    ]);
    let deep = (0..40).fold(ask::is_true("household.has_owner"), |inner, _| ask::not(inner));
    let corpus = [tree.clone(), deep, ask::at_least("customer.age", 60), ask::before_last("customer.age", u32::MAX, pb::Unit::Day)];
    let run = |bytes: &[u8]| {
        let Ok(predicate) = pb::Predicate::decode(bytes) else { return Ok(()) };
        let mut bad = Violations::new();
        let compiled = Compiled::of(&predicate, Catalogue::household(), "predicate", &mut bad);
        match (compiled, bad.finish().is_err()) {
            (None, false) => Err("refused without a reason".to_owned()),
            (Some(_), true) => Err("compiled although something is wrong".to_owned()),
            (None, true) => Ok(()),
            (Some(compiled), false) => {
                for today in [date(2026, 7, 14), date(-9999, 1, 1), date(9999, 12, 31)] {
                    compiled.evaluate(&|_: &str| None::<Fact>, today);
                    let finding = compiled.evaluate(&|_: &str| Some(Fact::Integer(i64::MIN)), today);
                    same("truth", &finding.holds(), &(finding.truth == Truth::True))?;
                }
                Ok(())
            }
        }
    };
    Target { name: "predicates", corpus: corpus.iter().map(prost::Message::encode_to_vec).collect(), run: Box::new(run) }
}

/// Page tokens: only what a list gave out opens, and only for that list.
fn page_tokens() -> anyhow::Result<Target> {
    let keyring = Keyring::parse(&Keyring::generate_text())?;
    let tokens = PageTokens::new(FieldCipher::new(Arc::new(keyring)));
    let query = |text: &str| Query::of("List", &pb::Actor { subject: text.to_owned(), ..Default::default() });
    let cursor = ("2026-07-14T00:00:00Z".to_owned(), 7_u64);
    let given = tokens.seal(&query("mine"), &cursor)?;
    let mine = given.clone();
    let run = move |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let opened = tokens.open::<(String, u64)>(&query("mine"), &text);
        match opened {
            Ok(None) if text.is_empty() => {}
            Ok(Some(opened)) if text == mine => same("cursor", &opened, &cursor)?,
            Err(_) if text != mine && !text.is_empty() => {}
            other => return Err(format!("{text:?} opens as {other:?}")),
        }
        match tokens.open::<(String, u64)>(&query("another's"), &text) {
            Ok(Some(opened)) => Err(format!("opens for another list as {opened:?}")),
            Ok(None) | Err(_) => Ok(()),
        }
    };
    Ok(Target { name: "page tokens", corpus: vec![given.into_bytes(), b"AAAA".to_vec(), Vec::new()], run: Box::new(run) })
}

/// Tokens of callers: only what the issuer signed is believed, whatever is changed of it.
fn tokens() -> anyhow::Result<Target> {
    let issuer = Issuer::of_tests();
    let file = std::env::temp_dir().join(format!("steward-fuzz-{}.jwks", std::process::id()));
    std::fs::write(&file, issuer.jwks())?;
    let issuers = vec![auth::Issuer { name: ISSUER.to_owned(), keys: JwksSource::File(file) }];
    let (clock, _) = Clock::manual("2026-07-14T00:00:00Z".parse()?);
    let verifier = TokenVerifier::new(issuers, AUDIENCE, clock)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let good = issuer.mint(&Claims::staff("wang").role("dispatcher").every_estate())?;
    let customer = issuer.mint(&Claims::customer("resident.1", uuid::Uuid::nil()).role("resident"))?;
    anyhow::ensure!(runtime.block_on(verifier.verify(&good)).is_ok(), "a good token is believed");
    let unsigned = format!("{}.", good.rsplit_once('.').map_or("", |(head, _)| head));
    // {"alg":"none"}
    let none = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap_or_default());
    let minted = [good.clone(), customer.clone()];
    let run = move |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let signed = |token: &str| token.rsplit_once('.').map(|(head, _)| head.to_owned());
        let is_minted = minted.iter().any(|good| signed(good) == signed(&text));
        match runtime.block_on(verifier.verify(&text)) {
            Ok(principal) if !is_minted => Err(format!("believed: {}", principal.subject)),
            Ok(_) | Err(_) => Ok(()),
        }
    };
    let corpus = [good, customer, unsigned, none, "a.b.c".to_owned(), "..".to_owned()];
    Ok(Target { name: "tokens", corpus: corpus.map(String::into_bytes).to_vec(), run: Box::new(run) })
}

/// Phone numbers: what is normalised is normal.
fn phones() -> Target {
    let corpus = ["199 0000 0001", "+86 138-0013-8000", "0571-88888888", "(010) 6552 9988 转 12", "００８６１３８００１３８０００", "110"];
    target("phone numbers", &corpus, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let Ok(phone) = Phone::parse(&text) else { return Ok(()) };
        let again = Phone::parse(phone.as_str()).map_err(|_| "what was normalised is refused".to_owned())?;
        same("phone", &phone.as_str().to_owned(), &again.as_str().to_owned())
    })
}

/// Times, durations, spans and dates as they come over the wire.
fn protobuf_times() -> Target {
    let corpus = [[0_u8; 16], [0xff; 16], *b"\x00\x65\xcd\x1d\0\0\0\0\xff\xc9\x9a\x3b\0\0\0\0", *b"2026-02-29......"];
    let run = |bytes: &[u8]| {
        let mut padded = [0; 16];
        padded.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        let [a, b, c, d, e, f, g, h, rest @ ..] = padded;
        let (seconds, nanos) = (i64::from_le_bytes([a, b, c, d, e, f, g, h]), i32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]]));
        if let Some(time) = proto::timestamp(&prost_types::Timestamp { seconds, nanos }) {
            // Instants are whole microseconds.
            let nanos = nanos / 1_000 * 1_000;
            same("time", &(seconds, nanos), &(proto::to_timestamp(time).seconds, proto::to_timestamp(time).nanos))?;
        }
        if let Some(span) = proto::duration(&prost_types::Duration { seconds, nanos }) {
            same("duration", &(seconds, nanos), &(proto::to_duration(span).seconds, proto::to_duration(span).nanos))?;
        }
        let span = pb::Span { value: u32::from_le_bytes([e, f, g, h]), unit: i32::from(rest[4]), calendar: "civil".to_owned() };
        if let Ok(read) = proto::span(&span) {
            same("span", &span, &proto::to_span(&read))?;
        }
        let text = String::from_utf8_lossy(bytes);
        match proto::date(&text) {
            Some(read) => same("date", &text.to_string(), &proto::to_date(read)),
            None => Ok(()),
        }
    };
    Target { name: "times of protobuf", corpus: corpus.map(|one| one.to_vec()).to_vec(), run: Box::new(run) }
}
