//! Counts of estates add up to the count of all of them together, and hold for as long as they say.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use steward_kit::calendar::Calendars;
use steward_kit::ids::EstateId;
use steward_kit::metric::{AsOf, Definition, Metric, Opinion, Owner, Ratio, Standing, Tally, metrics};
use uuid::Uuid;

use super::super::figures::{CaseRow, Cohort, Counting, DeadlineRow, Sheet, cohort, count, figure};
use super::super::*;

fn march(hours: i64) -> Timestamp {
    "2026-02-28T16:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

/// Hours of March and a little around it.
const HOURS: std::ops::Range<i64> = -200..1200;

fn maybe(hours: std::ops::Range<i64>) -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of(hours.prop_map(march))
}

fn case() -> impl Strategy<Value = CaseRow> {
    let who = (0..4u128, prop::option::of(0..3u128), prop::option::of(0..3u128), 1..3u32, any::<bool>());
    let what =
        (prop::sample::select(Kind::ALL), prop::sample::select(&Standing::ALL[..]), prop::option::of(prop::sample::select(CloseCode::ALL)));
    let when = (0..744i64, HOURS, maybe(HOURS), maybe(HOURS), maybe(HOURS), maybe(0..744), maybe(0..744), maybe(HOURS));
    let callback = (maybe(0..744), maybe(HOURS), maybe(HOURS), prop::option::of(1..6u32), any::<bool>(), maybe(HOURS));
    let around = (maybe(HOURS), maybe(HOURS));
    (who, what, when, callback, around).prop_map(|(who, what, when, callback, around)| {
        let (order, unit, customer, cycle, is_last) = who;
        let (kind, standing, close_code) = what;
        let (occur, receive, end_time, respond_time, arrive_time, complete_time, close_time, result_due_time) = when;
        let (callback_due_time, reach_time, exhaust_time, score, is_case_score, opinion_time) = callback;
        let occur_time = march(occur);
        let opinion = if score.is_some() { Opinion::Accepts } else { Opinion::Silent };
        CaseRow {
            order: Uuid::from_u128(order).into(),
            number: String::new(),
            unit: unit.map(|unit| Uuid::from_u128(unit).into()),
            customer: customer.map(|customer| Uuid::from_u128(10 + customer).into()),
            facts: CaseFacts {
                cycle,
                is_last,
                kind,
                category: "plumbing.leak".to_owned(),
                channel: Channel::App,
                standing,
                occur_time,
                receive_time: march(receive),
                start_time: march(receive),
                end_time,
                respond_time,
                arrive_time,
                assess_time: respond_time,
                complete_time,
                close_time,
                close_code,
                opinion,
                opinion_time,
                result_due_time,
                callback_due_time,
                callback_provisional: cycle == 2 && is_last,
                reach_time,
                exhaust_time,
                score,
                score_time: score.map(|_| occur_time),
                is_case_score,
                suspended_seconds: 60,
            },
            previous_time: around.0.filter(|before| *before < occur_time),
            next_time: around.1.filter(|after| *after > occur_time),
        }
    })
}

const CLOCKS: [&str; 7] = ["push", "first_response", "contact_customer", "arrive", "result_feedback", "callback", "promise"];

fn deadline() -> impl Strategy<Value = DeadlineRow> {
    let verdict = prop::option::of(prop::sample::select(Verdict::ALL));
    let what = (prop::sample::select(Kind::ALL), prop::sample::select(&Standing::ALL[..]), prop::sample::select(&CLOCKS[..]));
    (0..4u128, what, 0..744i64, prop::sample::select(ClockState::ALL), verdict, prop::bool::weighted(0.1)).prop_map(
        |(order, (kind, standing, clock), due, state, verdict, is_provisional)| DeadlineRow {
            order: Uuid::from_u128(order).into(),
            number: String::new(),
            kind,
            category: "plumbing.leak".to_owned(),
            standing,
            clock: clock.to_owned(),
            due_time: march(due),
            state,
            verdict,
            is_provisional,
        },
    )
}

/// An estate; its orders are its own, its customers may be another's too.
fn sheet() -> impl Strategy<Value = Sheet> {
    (prop::collection::vec(case(), 0..12), prop::collection::vec(deadline(), 0..12)).prop_map(|(cases, deadlines)| {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let mut sheet = Sheet::new(EstateId::new(), (march(0), march(744)), zone, Calendars::shipped());
        let estate = sheet.estate.as_uuid().as_u128();
        let own = |id: Uuid| Uuid::from_u128(estate ^ id.as_u128());
        let own_case = |case: CaseRow| CaseRow {
            order: own(case.order.as_uuid()).into(),
            unit: case.unit.map(|unit| own(unit.as_uuid()).into()),
            ..case
        };
        let cases: Vec<CaseRow> = cases.into_iter().map(own_case).collect();
        let deadlines = deadlines.into_iter().map(|row| DeadlineRow { order: own(row.order.as_uuid()).into(), ..row }).collect();
        for cohort in [Cohort::Neighbours, Cohort::CallbackDue, Cohort::Repeated, Cohort::Completed, Cohort::Assessed, Cohort::Collating] {
            sheet.cases.insert(cohort, cases.clone());
        }
        sheet.deadlines = deadlines;
        sheet
    })
}

fn own_metrics() -> impl Iterator<Item = &'static Metric> {
    metrics().iter().filter(|metric| metric.owner == Owner::WorkOrder)
}

fn tally(definition: &Definition, as_of: &AsOf, sheets: &[&Sheet]) -> Tally {
    count(&Counting { definition, as_of }, sheets).unwrap().tally
}

proptest! {
    /// Of every metric of the service: what estates came to one by one makes the same figure as all their rows together.
    #[test]
    fn counts_of_estates_add_up(sheets in prop::collection::vec(sheet(), 1..4), now in HOURS) {
        let all: Vec<&Sheet> = sheets.iter().collect();
        for metric in own_metrics() {
            let definition = Definition::of(metric);
            let as_of = AsOf::new(march(now));
            let together = tally(&definition, &as_of, &all);
            let one_by_one: Vec<Tally> = all.iter().map(|sheet| tally(&definition, &as_of, &[sheet])).collect();
            // Kept and read again, as boards do.
            let kept = Tally::kept(&Tally::keep(one_by_one)).unwrap();
            let base = Some(Ratio::whole(50));
            prop_assert_eq!(figure(&definition, &Tally::sum(&kept), base), figure(&definition, &together, base), "{}", metric.id);
        }
    }

    /// Of every metric: as long as no instant passes that a count asked about, time alone does not change it; and it does not
    /// matter that it was counted a little earlier or later.
    #[test]
    fn a_count_holds_until_it_says(sheet in sheet(), then in HOURS, moments in prop::collection::vec(HOURS, 8)) {
        for metric in own_metrics() {
            let definition = Definition::of(metric);
            let as_of = AsOf::new(march(then));
            let counted = tally(&definition, &as_of, &[&sheet]);
            let seen = as_of.seen();
            for moment in moments.iter().map(|hours| march(*hours)) {
                if seen.since.is_none_or(|since| since <= moment) && seen.until.is_none_or(|until| moment < until) {
                    let now = tally(&definition, &AsOf::new(moment), &[&sheet]);
                    prop_assert_eq!(&now, &counted, "{} counted {} holds {:?}, asked {}", metric.id, march(then), seen, moment);
                }
            }
        }
    }
}

/// Every file of the folder is among the rules that kept counts are compared by.
#[test]
fn a_changed_rule_counts_anew() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/figures");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let forgotten: Vec<String> = files.filter(|file| !super::super::figures::RULES.contains(&file.as_str())).collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
    assert!(own_metrics().all(|metric| cohort(&Definition::of(metric)).is_some()));
}
