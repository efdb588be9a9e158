//! A quarter of one estate's life, lived under each of the five plans: the same homes, orders, answers and talks; and at its end every
//! figure that the plan defines, with its target and verdict, as it was counted apart from the product.

mod boards;
mod care;
mod cases;
mod days;
mod leaving;
mod orders;
mod place;
mod register;
mod tally;
mod voices;

use anyhow::{Result, ensure};
use futures::future::{try_join, try_join_all};
use jiff::Timestamp;
use steward_e2e::House;
use steward_proto::{
    care::v1::TouchpointState,
    plan::v1::{PolicyScope, PolicyScopeLevel},
};

use boards::Known;
use care::{AGREED_IN_AUGUST, AGREED_IN_JUNE, BULLETIN_HOMES, TALKED};
use cases::Case;
use days::{Days, time};
use orders::Step;
use place::Place;
use register::LEFT;
use voices::{IMPROVED, Voice, first_wave, second_wave};

const PLANS: [&str; 5] = ["process-template", "care-315", "service-management", "service-uplift", "lifecycle-butler"];

/// What happens in every estate.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A step of the case of this number.
    Order(usize, Step),
    /// Those who agree to bulletins, from one home to another.
    Agree(usize, usize),
    /// Both bulletins are planned for every home of the first building.
    Plan,
    /// So many bulletins have arrived or were held back by now.
    Bulletin(usize),
    FirstWave,
    SecondWave,
    /// The homes that answer, of the first wave or the second.
    Answers(bool),
    Talks,
    NoticeBatch,
    HandOver,
    Improve,
    Effect,
    Leave,
}

/// What an estate remembers from one event to the next.
#[derive(Debug, Clone, Default)]
struct Memory {
    orders: Vec<String>,
    programme: String,
    first_wave: String,
    second_wave: String,
    batch: String,
    spring_plan: String,
}

/// F-05c, F-13b, GR-03, P-4, P-6, CA-06, SV-19 to SV-26, SV-34, SV-51, WO-21, WO-27, WO-56, WO-64, WO-67
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarter_is_judged_by_each_plan_as_the_plan_defines_it() -> Result<()> {
    let house = House::open(time("2026-06-01T09:00")).await?;
    let gateway = house.gateway().await?;
    place::apply(&gateway, "base", PolicyScope { level: PolicyScopeLevel::Base.into(), id: String::new() }).await?;
    let founding = PLANS.into_iter().zip(1..).map(|(plan, number)| begin(&gateway, plan, number));
    let (places, mut memories): (Vec<Place>, Vec<Memory>) = try_join_all(founding).await?.into_iter().unzip();

    let cases = cases::cases();
    for (at, event) in life(&cases) {
        house.hand.set(at);
        let living = places.iter().zip(&mut memories).map(|(place, memory)| live(place, memory, &cases, event, at));
        try_join_all(living).await?;
    }
    let now = time("2026-10-25T09:00");
    house.hand.set(now);

    let asked: Vec<Timestamp> =
        lows(&first_wave()).map(|_| ANSWERED[0]).chain(lows(&second_wave()).map(|_| ANSWERED[1])).map(time).collect();
    let known = Known { cases: &cases, quarter: Days::of("2026-07-01", "2026-09-30"), now, asked: &asked };
    let faults = try_join_all(places.iter().map(|place| judge(place, &known))).await?.concat();
    ensure!(faults.is_empty(), "{} figures are not as they must be:\n{}", faults.len(), faults.join("\n"));
    house.close().await
}

/// When the households answer.
const ANSWERED: [&str; 2] = ["2026-07-07T10:30", "2026-09-15T10:30"];

fn lows(voices: &[Voice]) -> impl Iterator<Item = &Voice> {
    voices.iter().filter(|voice| voice.is_low())
}

/// An estate, and what is set up in it before the quarter.
async fn begin(gateway: &tonic::transport::Channel, plan: &'static str, number: usize) -> Result<(Place, Memory)> {
    let place = Place::found(gateway.clone(), plan, number).await?;
    let (programme, ()) = try_join(place.survey_programme(), place.bulletins()).await?;
    let spring_plan = place.improve(0.70, "2026-06-02").await?;
    Ok((place, Memory { programme, spring_plan, ..Memory::default() }))
}

/// Everything that happens, by its time.
fn life(cases: &[Case]) -> Vec<(Timestamp, Event)> {
    let of_case = |(number, case): (usize, &Case)| {
        orders::steps(case).into_iter().map(move |(at, step)| (at, Event::Order(number, step))).collect::<Vec<_>>()
    };
    let mut life: Vec<(Timestamp, Event)> = cases.iter().enumerate().flat_map(of_case).collect();
    life.extend(
        [
            // What changed in the estate was gathered for half a minute.
            ("2026-06-01T09:05", Event::Plan),
            ("2026-06-10T10:00", Event::Agree(0, AGREED_IN_JUNE)),
            ("2026-06-15T09:00", Event::Bulletin(BULLETIN_HOMES)),
            ("2026-07-06T10:00", Event::FirstWave),
            (ANSWERED[0], Event::Answers(false)),
            ("2026-07-25T10:00", Event::Talks),
            ("2026-07-28T10:00", Event::Improve),
            ("2026-08-03T10:00", Event::NoticeBatch),
            ("2026-08-10T11:00", Event::Agree(AGREED_IN_JUNE, AGREED_IN_AUGUST)),
            ("2026-08-15T09:00", Event::Bulletin(2 * BULLETIN_HOMES)),
            ("2026-08-20T15:00", Event::HandOver),
            ("2026-09-08T10:00", Event::Effect),
            ("2026-09-14T10:00", Event::SecondWave),
            (ANSWERED[1], Event::Answers(true)),
            ("2026-09-26T10:00", Event::Leave),
        ]
        .map(|(at, event)| (time(at), event)),
    );
    life.sort_by_key(|(at, _)| *at);
    life
}

async fn live(place: &Place, memory: &mut Memory, cases: &[Case], event: Event, now: Timestamp) -> Result<()> {
    match event {
        Event::Order(number, Step::Create) => {
            memory.orders.resize(cases.len(), String::new());
            memory.orders[number] = place.create(&cases[number]).await?;
        }
        Event::Order(number, step) => place.work(&memory.orders[number], step).await?,
        Event::Plan => place.touchpoints_until(&[TouchpointState::Planned], 2 * BULLETIN_HOMES).await?,
        Event::Agree(from, to) => drop(try_join_all((from..to).map(|home| place.agree(home))).await?),
        Event::Bulletin(count) => place.touchpoints_until(&[TouchpointState::Confirmed, TouchpointState::Suppressed], count).await?,
        Event::FirstWave => {
            memory.first_wave = place.launch(&memory.programme, "").await?;
            place.interview(&memory.first_wave, now).await?;
            place.interview("", now).await?;
        }
        Event::SecondWave => memory.second_wave = place.launch(&memory.programme, &memory.first_wave).await?,
        Event::Answers(is_second) => {
            let (wave, voices) = if is_second { (&memory.second_wave, second_wave()) } else { (&memory.first_wave, first_wave()) };
            try_join_all(voices.iter().map(|voice| place.say(wave, voice))).await?;
            place.orders_asked(lows(&voices).count(), now).await?;
        }
        Event::Talks => {
            try_join_all((0..TALKED).map(|home| place.talk(home, true))).await?;
            // Spoken with twice is one home, and whoever did not answer was not spoken with.
            place.talk(0, true).await?;
            place.talk(TALKED, false).await?;
        }
        Event::NoticeBatch => memory.batch = place.notice_batch().await?,
        Event::HandOver => place.hand_over(&memory.batch).await?,
        Event::Improve => {
            for _ in 0..IMPROVED {
                place.improve(0.80, "2026-07-28").await?;
            }
        }
        Event::Leave => drop(try_join_all(LEFT.iter().map(|one| place.leave(one))).await?),
        Event::Effect => place.effect(&memory.spring_plan, 0.96).await?,
    }
    Ok(())
}

/// The board of the quarter, and that of its last month, as soon as all timers have done their work.
async fn judge(place: &Place, known: &Known<'_>) -> Result<Vec<String>> {
    let expected = boards::expected(place.plan, known);
    let begun = std::time::Instant::now();
    let (board, mut faults) = loop {
        let board = place.board(known.quarter).await?;
        let faults = boards::faults(place.plan, &board, &expected);
        if faults.is_empty() || begun.elapsed().as_secs() > 10 {
            break (board, faults);
        }
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    };
    let wrong = |one: &&boards::Expected| faults.iter().any(|fault| fault.contains(one.id));
    for rows in try_join_all(expected.iter().filter(wrong).map(|one| place.rows_behind(one, known.quarter))).await? {
        faults.push(rows);
    }
    faults.extend(boards::numbers_of_nothing(place.plan, &board, &expected));
    show(&boards::table(&format!("{}, July to September 2026", place.plan), &board, &expected));
    if place.plan == "service-management" {
        let month = Days::of("2026-09-01", "2026-09-30");
        let monthly = boards::expected_of_month(known.cases, month);
        let board = place.board(month).await?;
        show(&boards::table("service-management, September 2026", &board, &monthly));
        faults.extend(boards::faults(place.plan, &board, &monthly));
        faults.extend(boards::faults_of_report(place, known.cases, month).await?);
    }
    Ok(faults)
}

#[expect(clippy::print_stdout, reason = "the table is for whoever reads the test's output")]
fn show(table: &str) {
    println!("{table}");
}
