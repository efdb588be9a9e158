//! The figures that this service owns, counted from the facts of one estate and period (F-01 to F-04, F-05b, F-06b, F-11, F-19,
//! F-20, F-22). One pass makes the figure and the rows behind it, so that an explanation cannot say something else.

use jiff::Timestamp;
use steward_kit::metric::{
    Answers, BeforeAfter, Deadline, Definition, DimensionMean, Figure, LoyaltyCounts, LoyaltyMethod, Part, Ratio, SatisfiedLevels, Scale,
    ScoreMap, Share, TimelyCounts, WEIGHT_ONE, collation_rate, complaint_rate_by_survey, csat_index, csat_lift, csat_rate, loyalty_rate,
    nps, suggestion_adoption, timely_rate_by_survey,
};
use uuid::Uuid;

use super::answer::{Answer, Value, answer_to};
use super::codes::{FeedbackState, Role};
use super::feedback::FeedbackItem;
use super::improvement::ImprovementPlan;
use super::instrument::Instrument;

/// A valid response and when it came.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id.
    pub id: Uuid,
    /// When it came.
    pub at: Timestamp,
    /// Its weight, in millionths.
    pub weight: i64,
    /// What was answered.
    pub answers: Vec<Answer>,
}

/// A wave that was launched in the period.
#[derive(Clone, Debug)]
pub struct WaveSheet {
    /// Code of its programme.
    pub programme: String,
    /// What it asks.
    pub instrument: std::sync::Arc<Instrument>,
    /// Its valid responses.
    pub rows: Vec<Row>,
    /// Eligible households.
    pub eligible: i64,
    /// Invitations.
    pub invited: i64,
    /// The responses of the wave it is compared with.
    pub baseline: Option<(std::sync::Arc<Instrument>, Vec<Row>)>,
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

/// Counts a figure over sheets; `None` for one that is not of this service.
pub fn count(definition: &Definition, sheets: &[&Sheet], as_of: Timestamp) -> Option<Counted> {
    let waves: Vec<&WaveSheet> = sheets
        .iter()
        .flat_map(|sheet| &sheet.waves)
        .filter(|wave| definition.parameters.programme.is_empty() || wave.programme == definition.parameters.programme)
        .collect();
    let asked = Asked { definition, waves: &waves };
    let mut counted = match definition.metric.id {
        "csat_rate" => asked.csat_rate(),
        "csat_score" => asked.csat_score(),
        "csat_index" => asked.index(),
        "nps" => asked.nps(),
        "loyalty_rate" => asked.loyalty(),
        "complaint_rate" => asked.said(Role::Complained, complaint_rate_by_survey),
        "complaint_timely_rate" => asked.said(Role::ComplaintTimely, |timely, answered, _| timely_rate_by_survey(timely, answered)),
        "suggestions_count" => asked.suggestions(),
        "response_rate" => asked.response_rate(),
        "csat_lift" => asked.lift(),
        "interview_rounds_done" => of_figure(Figure::count(sheets.iter().map(|sheet| sheet.interview_rounds).sum())),
        "improvement_plans_done" => plans_done(sheets),
        "improvement_effect" => effects(sheets),
        "suggestion_adoption_rate" => adoption(sheets),
        "collation_rate" => collation(sheets, as_of),
        _ => return None,
    };
    let below = sheets.iter().map(|sheet| i64::from(sheet.suppress_below)).max().unwrap_or_default();
    let rests_on_answers = counted.rows.iter().any(|row| row.kind == RESPONSE);
    if rests_on_answers && counted.figure.n > 0 && counted.figure.n < below {
        // The figure of few gives them away, and so do its rows.
        counted.figure.is_suppressed = true;
        counted.rows.clear();
    }
    counted.rows.sort_by_key(|row| (row.at, row.id));
    Some(counted)
}

const RESPONSE: &str = "survey_response";

fn of_figure(figure: Figure) -> Counted {
    Counted { figure, rows: Vec::new() }
}

fn behind(row: &Row, counts: bool, value: i64) -> Behind {
    let reason = if counts { "counted" } else { "answered_otherwise" };
    Behind { kind: RESPONSE, id: row.id, at: row.at, counts, reason, value, weight: row.weight }
}

fn scale_of(max: u32) -> Option<Scale> {
    match max {
        5 => Some(Scale::Five),
        10 => Some(Scale::Ten),
        _ => None,
    }
}

struct Asked<'a> {
    definition: &'a Definition,
    waves: &'a [&'a WaveSheet],
}

impl Asked<'_> {
    fn population(&self) -> Option<i64> {
        Some(self.waves.iter().map(|wave| wave.eligible).sum()).filter(|all: &i64| *all > 0)
    }

    fn satisfied(&self, scale: Scale) -> SatisfiedLevels {
        let parameters = &self.definition.parameters;
        SatisfiedLevels::of(scale, &parameters.satisfied_levels, parameters.include_neutral)
    }

    /// Each answer to the question of a role, with its scale.
    fn points(&self, role: Role) -> impl Iterator<Item = (&Row, Scale, u32)> {
        self.waves.iter().flat_map(move |wave| points_of(&wave.instrument, &wave.rows, role))
    }

    fn csat_rate(&self) -> Counted {
        let (mut answers, mut rows) = (Answers::default(), Vec::new());
        for (row, scale, level) in self.points(Role::Overall) {
            let satisfied = self.satisfied(scale).has(level);
            answers.add(u32::from(satisfied), 1, row.weight);
            rows.push(behind(row, satisfied, i64::from(level)));
        }
        // Levels of different scales are one: satisfied or not.
        let satisfied = SatisfiedLevels::of(Scale::Five, &[1], false);
        Counted { figure: csat_rate(&answers, &satisfied, self.population()), rows }
    }

    fn score_map(&self) -> ScoreMap {
        let written = ScoreMap::written(&self.definition.parameters.score_map);
        written.unwrap_or(if self.definition.method == "linear_0_100" { ScoreMap::LINEAR } else { ScoreMap::TWENTIES })
    }

    fn csat_score(&self) -> Counted {
        let (map, mut answers, mut rows) = (self.score_map(), Answers::default(), Vec::new());
        for (row, scale, level) in self.points(Role::Overall) {
            let points = map.points(scale, level);
            answers.add(u32::try_from(points).unwrap_or_default(), 1, row.weight);
            rows.push(behind(row, true, points));
        }
        Counted { figure: mean(&answers), rows }
    }

    /// Dimensions of the first level, by the weights of the last wave's instrument.
    fn index(&self) -> Counted {
        let Some(last) = self.waves.last() else { return Counted::default() };
        let (map, mut rows) = (self.score_map(), Vec::new());
        let top: Vec<_> = last.instrument.dimensions.iter().filter(|dimension| dimension.parent.is_none()).collect();
        let whole: i128 = top.iter().map(|dimension| i128::from(dimension.weight)).sum();
        let mut means = Vec::with_capacity(top.len());
        for dimension in &top {
            let mut answers = Answers::default();
            for wave in self.waves {
                for question in wave
                    .instrument
                    .questions
                    .iter()
                    .filter(|question| below(&wave.instrument, question.dimension.as_deref(), &dimension.code))
                {
                    let Some(scale) = question.kind.scale_max().and_then(scale_of) else { continue };
                    for row in &wave.rows {
                        if let Some(level) = answer_to(&row.answers, &question.code).and_then(Value::points) {
                            answers.add(u32::try_from(map.points(scale, level)).unwrap_or_default(), 1, row.weight);
                        }
                    }
                }
            }
            let count = i128::try_from(top.len()).unwrap_or(1);
            let weight = if whole == 0 { Ratio::new(1, count) } else { Ratio::new(dimension.weight.into(), whole) };
            let mean = answers.mean(i64::from);
            means.push(DimensionMean { weight: weight.unwrap_or(Ratio::ZERO), mean, n: answers.n() });
        }
        rows.extend(self.waves.iter().flat_map(|wave| &wave.rows).map(|row| behind(row, true, 0)));
        Counted { figure: csat_index(&means), rows }
    }

    fn nps(&self) -> Counted {
        let (mut answers, mut rows) = (Answers::default(), Vec::new());
        for (row, _, level) in self.points(Role::Recommend).filter(|(_, scale, _)| *scale == Scale::Ten) {
            answers.add(level, 1, row.weight);
            rows.push(behind(row, level >= 9, i64::from(level)));
        }
        Counted { figure: nps(&answers), rows }
    }

    fn loyalty(&self) -> Counted {
        let (mut counts, mut rows) = (LoyaltyCounts::default(), Vec::new());
        for wave in self.waves {
            let positive = |row: &Row, role: Role| -> Option<bool> {
                let question = wave.instrument.with_role(role)?;
                match answer_to(&row.answers, &question.code)? {
                    Value::Yes(yes) => Some(*yes),
                    Value::Scale(level) => Some(self.satisfied(question.kind.scale_max().and_then(scale_of)?).has(*level)),
                    Value::Choice(_) | Value::Choices(_) | Value::Text { .. } | Value::Number(_) | Value::NotApplicable => None,
                }
            };
            for row in &wave.rows {
                let all = (positive(row, Role::Overall), positive(row, Role::Recommend), positive(row, Role::Repurchase));
                let (Some(satisfied), Some(recommends), Some(stays)) = all else { continue };
                let loyal = satisfied && recommends && stays;
                counts.answered += 1;
                counts.all_three += i64::from(loyal);
                counts.satisfied += i64::from(satisfied);
                counts.recommend += i64::from(recommends);
                counts.stay += i64::from(stays);
                rows.push(behind(row, loyal, 0));
            }
        }
        let method = match self.definition.method {
            "recommend_only" => LoyaltyMethod::RecommendOnly,
            "mean_of_three" => LoyaltyMethod::MeanOfThree,
            _ => LoyaltyMethod::Composite,
        };
        Counted { figure: loyalty_rate(&counts, method, self.population()), rows }
    }

    /// Those who said yes to the question of a role, by those who answered it.
    fn said(&self, role: Role, figure: impl Fn(i64, i64, Option<i64>) -> Figure) -> Counted {
        let (mut yes, mut rows) = (0, Vec::new());
        for wave in self.waves {
            let Some(question) = wave.instrument.with_role(role) else { continue };
            for row in &wave.rows {
                if let Some(said) = answer_to(&row.answers, &question.code).and_then(Value::yes) {
                    yes += i64::from(said);
                    rows.push(behind(row, said, 0));
                }
            }
        }
        let answered = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        Counted { figure: figure(yes, answered, self.population()), rows }
    }

    fn suggestions(&self) -> Counted {
        let mut rows = Vec::new();
        for wave in self.waves {
            for question in wave.instrument.questions.iter().filter(|question| question.role == Some(Role::Suggestion)) {
                rows.extend(
                    wave.rows.iter().filter(|row| answer_to(&row.answers, &question.code).is_some()).map(|row| behind(row, true, 1)),
                );
            }
        }
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        // A count of texts gives nobody away: it has no rows that could be suppressed.
        let rows = rows.into_iter().map(|row| Behind { kind: "suggestion", ..row }).collect();
        Counted { figure: Figure::count(count), rows }
    }

    fn response_rate(&self) -> Counted {
        let valid = self.waves.iter().map(|wave| i64::try_from(wave.rows.len()).unwrap_or(i64::MAX)).sum();
        of_figure(Figure::rate(valid, self.waves.iter().map(|wave| wave.invited).sum()))
    }

    /// Pairs of waves; without a hold-out the plain change, labelled so.
    fn lift(&self) -> Counted {
        let share = |instrument: &Instrument, rows: &[Row]| {
            let mut share = Share::default();
            for (_, scale, level) in points_of(instrument, rows, Role::Overall) {
                share.denominator += 1;
                share.numerator += i64::from(self.satisfied(scale).has(level));
            }
            share
        };
        let (mut treated, mut rows) = (BeforeAfter::default(), Vec::new());
        for wave in self.waves {
            let Some((instrument, before)) = &wave.baseline else { continue };
            let (before, after) = (share(instrument, before), share(&wave.instrument, &wave.rows));
            treated.before = plus(treated.before, before);
            treated.after = plus(treated.after, after);
            rows.extend(points_of(&wave.instrument, &wave.rows, Role::Overall).map(|(row, _, level)| behind(row, true, i64::from(level))));
        }
        Counted { figure: csat_lift(treated, None), rows }
    }
}

fn points_of<'a>(instrument: &Instrument, rows: &'a [Row], role: Role) -> impl Iterator<Item = (&'a Row, Scale, u32)> + use<'a> {
    let question = instrument.with_role(role).and_then(|question| Some((question.code.clone(), scale_of(question.kind.scale_max()?)?)));
    rows.iter().filter_map(move |row| {
        let (code, scale) = question.as_ref()?;
        Some((row, *scale, answer_to(&row.answers, code)?.points()?))
    })
}

fn plus(one: Share, other: Share) -> Share {
    Share { numerator: one.numerator + other.numerator, denominator: one.denominator + other.denominator }
}

/// Whether a dimension is `top` or stands below it.
fn below(instrument: &Instrument, dimension: Option<&str>, top: &str) -> bool {
    let mut at = dimension;
    while let Some(here) = at {
        if here == top {
            return true;
        }
        at = instrument.dimensions.iter().find(|known| known.code == here).and_then(|known| known.parent.as_deref());
    }
    false
}

/// The mean of points that stand as levels.
fn mean(answers: &Answers) -> Figure {
    let plain: i128 = answers.levels().map(|(points, count)| i128::from(points) * i128::from(count.n)).sum();
    if answers.levels().all(|(_, count)| count.weight == i128::from(count.n) * i128::from(WEIGHT_ONE)) {
        return Figure::mean(plain, answers.n());
    }
    let weighted = Figure { n: answers.n(), numerator: answers.points(i64::from), denominator: answers.weight(), ..Figure::default() };
    weighted.beside([Part::of("unweighted", Ratio::new(plain, answers.n().into()), steward_kit::metric::Unit::Points)])
}

fn plans_done(sheets: &[&Sheet]) -> Counted {
    let rows: Vec<Behind> = sheets
        .iter()
        .flat_map(|sheet| &sheet.implemented)
        .map(|plan| of_plan(plan, plan.implement_time.unwrap_or(plan.create_time), 1))
        .collect();
    Counted { figure: Figure::count(i64::try_from(rows.len()).unwrap_or(i64::MAX)), rows }
}

fn of_plan(plan: &ImprovementPlan, at: Timestamp, value: i64) -> Behind {
    Behind { kind: "improvement_plan", id: plan.id.as_uuid(), at, counts: true, reason: "completed", value, weight: WEIGHT_ONE }
}

/// F-22: what changed, over the plans whose effect became known; millionths keep what a plan wrote down.
fn effects(sheets: &[&Sheet]) -> Counted {
    let rows: Vec<Behind> = sheets
        .iter()
        .flat_map(|sheet| &sheet.verified)
        .filter_map(|plan| Some(of_plan(plan, plan.end_time?, millionths(plan.effect.as_ref()?.difference))))
        .collect();
    let n = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let sum: i128 = rows.iter().map(|row| i128::from(row.value)).sum();
    Counted { figure: Figure::of(Ratio::new(sum, i128::from(n) * i128::from(WEIGHT_ONE)), n), rows }
}

#[allow(clippy::cast_possible_truncation, reason = "a difference of figures in millionths")]
fn millionths(value: f64) -> i64 {
    (value * 1e6).round() as i64
}

fn adoption(sheets: &[&Sheet]) -> Counted {
    let rows: Vec<Behind> = sheets
        .iter()
        .flat_map(|sheet| &sheet.assessed)
        .map(|item| {
            let (adopted, reason) = match item.state {
                FeedbackState::Adopted | FeedbackState::Done => (true, "adopted"),
                FeedbackState::Declined => (false, "declined"),
                FeedbackState::New | FeedbackState::Assessed => (false, "undecided"),
            };
            of_item(item, item.assess_time.unwrap_or(item.receive_time), adopted, reason)
        })
        .collect();
    let adopted = rows.iter().filter(|row| row.counts).count();
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    Counted { figure: suggestion_adoption(count(adopted), count(rows.len())), rows }
}

fn of_item(item: &FeedbackItem, at: Timestamp, counts: bool, reason: &'static str) -> Behind {
    Behind { kind: "feedback_item", id: item.id.as_uuid(), at, counts, reason, value: 0, weight: WEIGHT_ONE }
}

fn collation(sheets: &[&Sheet], as_of: Timestamp) -> Counted {
    let (mut judged, mut rows) = (Vec::new(), Vec::new());
    for item in sheets.iter().flat_map(|sheet| &sheet.collating) {
        let Some(due) = item.collate_due_time else { continue };
        let how = Deadline { due, reached: item.collate_time, ended: None, is_provisional: false }.judged(as_of);
        judged.push(how);
        rows.extend(how.counts().then(|| of_item(item, due, how.code() == "in_time", how.code())));
    }
    Counted { figure: collation_rate(&TimelyCounts::of(judged)), rows }
}
