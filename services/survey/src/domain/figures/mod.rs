//! The one computation of figures, from answers and from what is decided about one thing at a time (F-01 to F-04, F-05b, F-06b,
//! F-11, F-19, F-20, F-22). The board's figures and a wave's results come from here; the formulas are [`steward_kit::metric`].
//! One pass makes the figure and the rows behind it, so that an explanation cannot say something else.

mod lift;
mod records;
mod tally;
mod yardstick;

use std::sync::Arc;

use jiff::Timestamp;
use steward_kit::metric::{Definition, Figure, Part, Ratio};
use uuid::Uuid;

use super::answer::Answer;
use super::codes::{Mode, Role};
use super::feedback::FeedbackItem;
use super::improvement::ImprovementPlan;
use super::instrument::Instrument;

pub use lift::{differences, moved};
pub use tally::{Asked, Tally};
pub use yardstick::Yardstick;

/// A valid response and when it came.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: Uuid,
    /// When it came.
    pub at: Timestamp,
    /// How it was given.
    pub mode: Mode,
    /// Its weight, in millionths.
    pub weight: i64,
    /// What was answered.
    pub answers: Vec<Answer>,
}

/// The valid responses of a wave, and what they answer.
#[derive(Clone, Debug)]
pub struct Answered {
    /// What was asked.
    pub instrument: Arc<Instrument>,
    /// The responses.
    pub rows: Vec<Row>,
}

impl Answered {
    /// For a [`Tally`].
    pub fn asked(&self) -> Asked<'_> {
        Asked { instrument: &self.instrument, rows: self.rows.iter().collect() }
    }
}

/// A wave that was launched in the period.
#[derive(Clone, Debug)]
pub struct WaveSheet {
    /// Code of its programme.
    pub programme: String,
    /// Households are asked one by one; it counts only where its programme is named.
    pub is_standing: bool,
    /// It was closed with too few valid responses (SV-01).
    pub is_under_sample: bool,
    /// Its valid responses.
    pub answered: Answered,
    /// Eligible households.
    pub eligible: i64,
    /// Invitations.
    pub invited: i64,
    /// The wave that it is compared with.
    pub baseline: Option<Answered>,
}

/// The facts of one estate in a period.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// Waves that were launched in it.
    pub waves: Vec<WaveSheet>,
    /// Feedback assessed in it.
    pub assessed: Vec<FeedbackItem>,
    /// Feedback whose collation was due in it.
    pub collating: Vec<FeedbackItem>,
    /// Plans whose last measure was done in it.
    pub implemented: Vec<ImprovementPlan>,
    /// Plans whose effect became known in it.
    pub verified: Vec<ImprovementPlan>,
    /// Interview rounds held in it.
    pub interview_rounds: i64,
    /// Cells with fewer are not shown.
    pub suppress_below: u32,
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

/// A figure and its rows.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// The figure.
    pub figure: Figure,
    /// What stands behind it.
    pub rows: Vec<Behind>,
}

/// What a response is, behind a figure.
const RESPONSE: &str = "survey_response";

/// The part of a weighted figure that says it without weights.
const UNWEIGHTED: &str = "unweighted";

/// The figure without design weights (SV-38).
pub fn plain(figure: &Figure) -> Option<Ratio> {
    figure.part(UNWEIGHTED).map_or_else(|| figure.value(), Part::value)
}

/// Counts a figure over sheets; `None` for one that is not of this service.
pub fn count(definition: &Definition, sheets: &[&Sheet], as_of: Timestamp) -> Option<Counted> {
    let programme = definition.parameters.programme.as_str();
    let is_meant = |wave: &&WaveSheet| if programme.is_empty() { !wave.is_standing } else { wave.programme == programme };
    let waves: Vec<&WaveSheet> = sheets.iter().flat_map(|sheet| &sheet.waves).filter(is_meant).collect();
    let yardstick = Yardstick::of(definition);
    let population = waves.iter().map(|wave| wave.eligible).sum();
    let asked = waves.iter().map(|wave| wave.answered.asked()).collect();
    let tally = Tally { yardstick: &yardstick, waves: asked, population: Some(population).filter(|all: &i64| *all > 0) };
    let mut counted = match definition.metric.id {
        "csat_rate" => tally.csat_rate(),
        "csat_score" => tally.csat_score(),
        "csat_index" => tally.index(),
        "nps" => tally.nps(),
        "loyalty_rate" => tally.loyalty(),
        "complaint_rate" => tally.said(Role::Complained),
        "complaint_timely_rate" => tally.said(Role::ComplaintTimely),
        "suggestions_count" => tally.suggestions(),
        "response_rate" => {
            let valid = waves.iter().map(|wave| wave.answered.rows.len()).sum::<usize>();
            of_figure(Figure::rate(i64::try_from(valid).unwrap_or(i64::MAX), waves.iter().map(|wave| wave.invited).sum()))
        }
        "csat_lift" => lift::lift(&tally, &waves),
        "interview_rounds_done" => of_figure(Figure::count(sheets.iter().map(|sheet| sheet.interview_rounds).sum())),
        "improvement_plans_done" => records::plans_done(sheets),
        "improvement_effect" => records::effects(sheets),
        "suggestion_adoption_rate" => records::adoption(sheets),
        "collation_rate" => records::collation(sheets, as_of),
        _ => return None,
    };
    let below = sheets.iter().map(|sheet| i64::from(sheet.suppress_below)).max().unwrap_or_default();
    let rests_on_answers = counted.rows.iter().any(|row| row.kind == RESPONSE);
    if rests_on_answers && counted.figure.n > 0 && counted.figure.n < below {
        // The figure of few gives them away, and so do its rows.
        counted.figure.is_suppressed = true;
        counted.rows.clear();
    }
    let under = waves.iter().filter(|wave| wave.is_under_sample).count();
    if rests_on_answers && under > 0 {
        // SV-01: whoever reads the figure reads that it rests on too few.
        counted.figure.parts.push(Part::count("under_sample_waves", i64::try_from(under).unwrap_or(i64::MAX)));
    }
    counted.rows.sort_by_key(|row| (row.at, row.id));
    Some(counted)
}

fn of_figure(figure: Figure) -> Counted {
    Counted { figure, rows: Vec::new() }
}
