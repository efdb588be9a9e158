//! The one computation of figures, from answers and from what is decided about one thing at a time (F-01 to F-04, F-05b, F-06b,
//! F-11, F-19, F-20, F-22). The board's figures and a wave's results come from here; the formulas are [`steward_kit::metric`].
//! One pass makes what a figure is made of and the rows behind it, so that an explanation cannot say something else; it adds up over
//! estates, and a figure of many is made of the sum.
//!
//! | file | what it does |
//! |---|---|
//! | `sheet` | what is counted: the facts of an estate in a period |
//! | `tally` | answers counted by one yardstick |
//! | `yardstick` | how answers become satisfied people and points |
//! | `formulas` | figures of answers, with and without weights |
//! | `lift` | F-11 |
//! | `records` | F-19, F-20, F-22, SV-20 |
//! | `sums` | what figures are made of, as it adds up |

mod formulas;
mod lift;
mod records;
mod sheet;
mod sums;
mod tally;
mod yardstick;

use jiff::Timestamp;
use steward_kit::metric::{self, AddsUp, AsOf, Definition, Figure, LoyaltyCounts, Part, Ratio, collation_rate, suggestion_adoption};
use uuid::Uuid;

use super::codes::Role;
use sums::{ANSWERS, BEFORE, Sums};

pub use formulas::plain;
pub use lift::{differences, moved};
pub use sheet::{Answered, ItemRow, PlanRow, Row, Sheet, WaveSheet};
pub use sums::Alike;
pub use tally::{Asked, Tally};
pub use yardstick::Yardstick;

/// Which facts a figure is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facts {
    /// Waves launched in the period, and what they were answered.
    Waves,
    /// Feedback assessed in it.
    Assessed,
    /// Feedback whose collation was due in it.
    Collating,
    /// Plans whose last measure was done in it.
    Implemented,
    /// Plans whose effect became known in it.
    Verified,
    /// Interview rounds held in it.
    Interviews,
}

/// The facts that a definition is counted from; `None` for a metric that is not of this service.
pub fn facts_of(definition: &Definition) -> Option<Facts> {
    Some(match definition.metric.id {
        "csat_rate" | "csat_score" | "csat_index" | "nps" | "loyalty_rate" | "csat_lift" => Facts::Waves,
        "complaint_rate" | "complaint_timely_rate" | "suggestions_count" | "response_rate" => Facts::Waves,
        "interview_rounds_done" => Facts::Interviews,
        "improvement_plans_done" => Facts::Implemented,
        "improvement_effect" => Facts::Verified,
        "suggestion_adoption_rate" => Facts::Assessed,
        "collation_rate" => Facts::Collating,
        _ => return None,
    })
}

/// What stands behind a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// What it is: `survey_response`, `feedback_item`, `improvement_plan`.
    pub kind: &'static str,
    /// Its id.
    pub id: Uuid,
    /// When it counts.
    pub at: Timestamp,
    /// It is in the numerator.
    pub counts: bool,
    /// Why, as a code.
    pub reason: &'static str,
    /// Its points; 0 where the figure is no mean.
    pub value: i64,
    /// Its weight, in millionths.
    pub weight: i64,
}

/// What a figure is made of, and its rows.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// What [`figure`] makes the figure of.
    pub tally: metric::Tally,
    /// What stands behind it, in no order.
    pub rows: Vec<Behind>,
}

/// What a response is, behind a figure.
const RESPONSE: &str = "survey_response";

/// Counts a figure of an estate; `None` for one that is not of this service. With the answers that are in memory:
/// [`add_answers`] adds further ones.
pub fn count(definition: &Definition, as_of: &AsOf, sheet: &Sheet) -> Option<Counted> {
    let (mut sums, rows) = match facts_of(definition)? {
        Facts::Waves => answers(definition, sheet)?,
        Facts::Assessed => records::adoption(sheet),
        Facts::Collating => records::collation(sheet, as_of),
        Facts::Implemented => records::plans_done(sheet),
        Facts::Verified => records::effects(sheet),
        Facts::Interviews => (Sums { counts: vec![sheet.interview_rounds], ..Sums::default() }, Vec::new()),
    };
    if facts_of(definition) == Some(Facts::Waves) {
        let waves = meant(definition, sheet);
        sums.population = waves.iter().map(|wave| wave.eligible).sum();
        sums.invited = waves.iter().map(|wave| wave.invited).sum();
        sums.under_sample = how_many(waves.iter().filter(|wave| wave.is_under_sample).count());
        sums.weights = weights(definition, sheet, &waves);
    }
    Some(Counted { tally: sums.tally(), rows })
}

/// Adds the answers in memory, and nothing else of the sheet, to what [`count`] made.
pub fn add_answers(tally: &mut metric::Tally, definition: &Definition, sheet: &Sheet) {
    if let Some((more, _)) = answers(definition, sheet) {
        tally.add(&more.tally());
        // Each kind of answer once.
        *tally = Sums::of(tally).tally();
    }
}

/// The waves that a definition means: of the programme that it names, or all but standing ones.
fn meant<'a>(definition: &Definition, sheet: &'a Sheet) -> Vec<&'a WaveSheet> {
    let programme = definition.parameters.programme.as_str();
    let is_meant = |wave: &&WaveSheet| if programme.is_empty() { !wave.is_standing } else { wave.programme == programme };
    sheet.waves.iter().filter(is_meant).collect()
}

/// The dimensions of the first level, of an index.
fn weights(definition: &Definition, sheet: &Sheet, waves: &[&WaveSheet]) -> Option<Vec<(i64, Ratio)>> {
    let last = waves.last().filter(|_| definition.metric.id == "csat_index")?;
    Some(sheet.answered.get(&last.id).map(|answered| tally::weights(&answered.instrument)).unwrap_or_default())
}

/// What answers come to; `None` for a figure that is not made of answers.
fn answers(definition: &Definition, sheet: &Sheet) -> Option<(Sums, Vec<Behind>)> {
    let yardstick = Yardstick::of(definition);
    let waves = meant(definition, sheet);
    let asked = waves.iter().filter_map(|wave| sheet.answered.get(&wave.id)).map(Answered::asked).collect();
    let tally = Tally { yardstick: &yardstick, waves: asked, population: None };
    let of = |(alike, rows): (Alike, Vec<Behind>)| (Sums { alike: [(ANSWERS, alike)].into(), ..Sums::default() }, rows);
    let (mut sums, rows) = match definition.metric.id {
        "csat_rate" => of(tally.overall_answers()),
        "csat_score" => of(tally.overall_points()),
        "csat_index" => tally.index_sums(),
        "nps" => of(tally.recommend_answers()),
        "loyalty_rate" => {
            let (alike, counts, rows) = tally.loyal_answers();
            let (sums, rows) = of((alike, rows));
            let LoyaltyCounts { answered, all_three, satisfied, recommend, stay } = counts;
            (Sums { counts: vec![answered, all_three, satisfied, recommend, stay], ..sums }, rows)
        }
        "complaint_rate" => of(tally.said_answers(Role::Complained)),
        "complaint_timely_rate" => of(tally.said_answers(Role::ComplaintTimely)),
        "suggestions_count" => {
            let rows = tally.texts();
            (Sums { counts: vec![how_many(rows.len())], ..Sums::default() }, rows)
        }
        "response_rate" => {
            let valid = tally.waves.iter().map(|wave| wave.rows.len()).sum();
            (Sums { counts: vec![how_many(valid)], ..Sums::default() }, Vec::new())
        }
        "csat_lift" => lift::lift(&yardstick, &waves, &sheet.answered),
        _ => return None,
    };
    sums.responses = how_many(rows.iter().filter(|row| row.kind == RESPONSE).count());
    Some((sums, rows))
}

/// Makes the figure of what was counted; `None` for a metric that is not of this service. One of fewer responses than `below` is
/// not shown: it gives them away, and so would its rows.
pub fn figure(definition: &Definition, tally: &metric::Tally, below: u32) -> Option<Figure> {
    let sums = Sums::of(tally);
    let population = Some(sums.population).filter(|all| *all > 0);
    let mut figure = match definition.metric.id {
        "csat_rate" | "complaint_rate" => formulas::share(&sums.answers(ANSWERS), population),
        // Whether a complaint was handled in time is asked of complainants only, whose number nobody knows.
        "complaint_timely_rate" => formulas::share(&sums.answers(ANSWERS), None),
        "csat_score" => formulas::mean(&sums.answers(ANSWERS)),
        "csat_index" => sums.index(),
        "nps" => formulas::nps_of(&sums.answers(ANSWERS)),
        "loyalty_rate" => {
            let count = |at| sums.count(at);
            let counts =
                LoyaltyCounts { answered: count(0), all_three: count(1), satisfied: count(2), recommend: count(3), stay: count(4) };
            formulas::loyalty_of(Yardstick::of(definition).loyalty, &sums.answers(ANSWERS), &counts, population)
        }
        "suggestions_count" | "interview_rounds_done" | "improvement_plans_done" => Figure::count(sums.count(0)),
        "response_rate" => Figure::rate(sums.count(0), sums.invited),
        "csat_lift" => moved(&sums.answers(BEFORE), &sums.answers(ANSWERS)),
        "improvement_effect" => records::mean_effect(&sums),
        "suggestion_adoption_rate" => suggestion_adoption(sums.count(0), sums.count(1)),
        "collation_rate" => collation_rate(&AddsUp::of_tally(&metric::Tally::of(sums.counts.clone()))),
        _ => return None,
    };
    figure.is_suppressed = sums.responses > 0 && figure.n > 0 && figure.n < i64::from(below);
    if sums.responses > 0 && sums.under_sample > 0 {
        // SV-01: whoever reads the figure reads that it rests on too few.
        figure.parts.push(Part::count("under_sample_waves", sums.under_sample));
    }
    Some(figure)
}

/// The rules of this folder and of what it counts with, as they are written.
pub const RULES: &[&str] = &[
    include_str!("lift.rs"),
    include_str!("mod.rs"),
    include_str!("records.rs"),
    include_str!("sheet.rs"),
    include_str!("sums.rs"),
    include_str!("tally.rs"),
    include_str!("yardstick.rs"),
    include_str!("../answer.rs"),
    include_str!("../codes.rs"),
    include_str!("../instrument.rs"),
];

/// How many, as figures count.
fn how_many(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
