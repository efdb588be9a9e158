//! Answers counted by one yardstick.

use std::collections::BTreeMap;

use steward_kit::metric::{Figure, LoyaltyCounts, LoyaltyMethod, Ratio};

use super::super::answer::{Value, answer_to};
use super::super::codes::Role;
use super::super::instrument::{Instrument, Question};
use super::formulas::{loyalty_of, mean, nps_of, share};
use super::sums::{Alike, Sums, key};
use super::yardstick::Yardstick;
use super::{Behind, RESPONSE, Row, how_many};

/// Some of the responses of a wave.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// What was asked.
    pub instrument: &'a Instrument,
    /// The responses that are looked at.
    pub rows: Vec<&'a Row>,
}

/// Counts answers.
#[derive(Clone, Debug)]
pub struct Tally<'a> {
    /// How answers become figures.
    pub yardstick: &'a Yardstick,
    /// By wave.
    pub waves: Vec<Asked<'a>>,
    /// Eligible households, for the finite population correction.
    pub population: Option<i64>,
}

/// The question of a role or of a code, in each wave.
type Picks<'p> = &'p dyn Fn(&Instrument) -> Option<&Question>;

pub(super) fn behind(row: &Row, counts: bool, value: i64) -> Behind {
    let reason = if counts { "counted" } else { "answered_otherwise" };
    Behind { kind: RESPONSE, id: row.id, at: row.at, counts, reason, value, weight: row.weight }
}

/// Whether a dimension is `top` or stands below it.
fn is_below(instrument: &Instrument, dimension: Option<&str>, top: &str) -> bool {
    let mut at = dimension;
    while let Some(here) = at {
        if here == top {
            return true;
        }
        at = instrument.dimensions.iter().find(|known| known.code == here).and_then(|known| known.parent.as_deref());
    }
    false
}

/// The dimensions of the first level with what each weighs.
pub(super) fn weights(instrument: &Instrument) -> Vec<(i64, Ratio)> {
    let top = instrument.dimensions.iter().filter(|dimension| dimension.parent.is_none());
    top.map(|dimension| (key(&dimension.code), instrument.weight_of(dimension))).collect()
}

impl Tally<'_> {
    /// Each answer in points to a question, by what its scale's highest makes of points: nothing for a scale that nobody speaks of.
    fn levels<T>(&self, picks: Picks<'_>, of_scale: impl Fn(u32) -> Option<T>, mut take: impl FnMut(&Row, &T, u32)) {
        for wave in &self.waves {
            let Some((question, max)) = picks(wave.instrument).and_then(|question| Some((question, question.kind.scale_max()?))) else {
                continue;
            };
            let Some(scale) = of_scale(max) else { continue };
            for row in &wave.rows {
                if let Some(level) = answer_to(&row.answers, &question.code).and_then(Value::points) {
                    take(row, &scale, level);
                }
            }
        }
    }

    /// 1 for each satisfied answer to a question, 0 for each other.
    fn satisfied_answers(&self, picks: Picks<'_>) -> (Alike, Vec<Behind>) {
        let (mut answers, mut rows) = (Alike::default(), Vec::new());
        self.levels(
            picks,
            |max| self.yardstick.satisfied_of(max),
            |row, satisfied, level| {
                let is_satisfied = satisfied.contains(&level);
                answers.add(u32::from(is_satisfied), row.weight);
                rows.push(behind(row, is_satisfied, i64::from(level)));
            },
        );
        (answers, rows)
    }

    /// The share of satisfied answers to a question (F-01).
    pub fn satisfied_share(&self, picks: Picks<'_>) -> Figure {
        share(&self.satisfied_answers(picks).0.answers(), self.population)
    }

    /// The points of each answer to a question.
    fn point_answers(&self, picks: Picks<'_>) -> (Alike, Vec<Behind>) {
        let (mut answers, mut rows) = (Alike::default(), Vec::new());
        self.levels(picks, Some, |row, max, level| {
            let Some(points) = self.yardstick.points_of(*max, level) else { return };
            answers.add(points, row.weight);
            rows.push(behind(row, true, i64::from(points)));
        });
        (answers, rows)
    }

    /// The mean points of a question (F-02).
    pub fn mean_points(&self, picks: Picks<'_>) -> Figure {
        mean(&self.point_answers(picks).0.answers())
    }

    /// Of the overall question: 1 for each satisfied answer, 0 for each other.
    pub(super) fn overall_answers(&self) -> (Alike, Vec<Behind>) {
        self.satisfied_answers(&|instrument| instrument.with_role(Role::Overall))
    }

    /// F-01
    pub fn csat_rate(&self) -> Figure {
        share(&self.overall_answers().0.answers(), self.population)
    }

    /// Of the overall question: the points of each answer.
    pub(super) fn overall_points(&self) -> (Alike, Vec<Behind>) {
        self.point_answers(&|instrument| instrument.with_role(Role::Overall))
    }

    /// F-02
    pub fn csat_score(&self) -> Figure {
        mean(&self.overall_points().0.answers())
    }

    /// How likely each respondent recommends, from 0 to 10.
    pub(super) fn recommend_answers(&self) -> (Alike, Vec<Behind>) {
        let (mut answers, mut rows) = (Alike::default(), Vec::new());
        self.levels(
            &|instrument| instrument.with_role(Role::Recommend),
            |max| (max == 10).then_some(()),
            |row, (), level| {
                answers.add(level, row.weight);
                rows.push(behind(row, level >= 9, i64::from(level)));
            },
        );
        (answers, rows)
    }

    /// F-03: of answers from 0 to 10.
    pub fn nps(&self) -> Figure {
        nps_of(&self.recommend_answers().0.answers())
    }

    /// 1 for each loyal respondent, 0 for each other, of those who answered all three questions; and how they answered each.
    pub(super) fn loyal_answers(&self) -> (Alike, LoyaltyCounts, Vec<Behind>) {
        let (mut answers, mut counts, mut rows) = (Alike::default(), LoyaltyCounts::default(), Vec::new());
        for wave in &self.waves {
            for row in &wave.rows {
                let all = [Role::Overall, Role::Recommend, Role::Repurchase].map(|role| self.is_positive(wave.instrument, row, role));
                let [Some(satisfied), Some(recommends), Some(stays)] = all else { continue };
                let loyal = match self.yardstick.loyalty {
                    LoyaltyMethod::RecommendOnly => recommends,
                    LoyaltyMethod::Composite | LoyaltyMethod::MeanOfThree => satisfied && recommends && stays,
                };
                counts.answered += 1;
                counts.all_three += i64::from(satisfied && recommends && stays);
                counts.satisfied += i64::from(satisfied);
                counts.recommend += i64::from(recommends);
                counts.stay += i64::from(stays);
                answers.add(u32::from(loyal), row.weight);
                rows.push(behind(row, loyal, 0));
            }
        }
        (answers, counts, rows)
    }

    /// F-04: of those who answered all three questions.
    pub fn loyalty(&self) -> Figure {
        let (answers, counts, _) = self.loyal_answers();
        loyalty_of(self.yardstick.loyalty, &answers.answers(), &counts, self.population)
    }

    fn is_positive(&self, instrument: &Instrument, row: &Row, role: Role) -> Option<bool> {
        let question = instrument.with_role(role)?;
        match answer_to(&row.answers, &question.code)? {
            Value::Yes(yes) => Some(*yes),
            Value::Scale(level) => Some(self.yardstick.satisfied_of(question.kind.scale_max()?)?.contains(level)),
            Value::Choice(_) | Value::Choices(_) | Value::Text { .. } | Value::Number(_) | Value::NotApplicable => None,
        }
    }

    /// 1 for each yes to the question of a role, 0 for each no.
    pub(super) fn said_answers(&self, role: Role) -> (Alike, Vec<Behind>) {
        let (mut answers, mut rows) = (Alike::default(), Vec::new());
        for wave in &self.waves {
            let Some(question) = wave.instrument.with_role(role) else { continue };
            for row in &wave.rows {
                if let Some(said) = answer_to(&row.answers, &question.code).and_then(Value::yes) {
                    answers.add(u32::from(said), row.weight);
                    rows.push(behind(row, said, 0));
                }
            }
        }
        (answers, rows)
    }

    /// F-05b, F-06b: those who said yes to the question of a role, by those who answered it. Whether a complaint was handled in time
    /// is asked of complainants only, whose number nobody knows.
    pub fn said(&self, role: Role) -> Figure {
        share(&self.said_answers(role).0.answers(), self.population.filter(|_| role == Role::Complained))
    }

    /// SV-26: opinions and suggestions; no text is read.
    pub(super) fn texts(&self) -> Vec<Behind> {
        let mut rows = Vec::new();
        for wave in &self.waves {
            for question in wave.instrument.questions.iter().filter(|question| question.role == Some(Role::Suggestion)) {
                let answered = wave.rows.iter().filter(|row| answer_to(&row.answers, &question.code).is_some());
                // A count of texts gives nobody away: it has no rows that could be suppressed.
                rows.extend(answered.map(|row| Behind { kind: "suggestion", ..behind(row, true, 1) }));
            }
        }
        rows
    }

    /// SV-26: opinions and suggestions, counted.
    pub fn suggestions(&self) -> Figure {
        Figure::count(how_many(self.texts().len()))
    }

    /// The points of a dimension and those below it, and how many respondents answered it.
    fn dimension_answers(&self, code: &str) -> (Alike, i64) {
        let (mut answers, mut respondents) = (Alike::default(), 0);
        for wave in &self.waves {
            let questions: Vec<(&Question, u32)> = wave
                .instrument
                .questions
                .iter()
                .filter(|question| is_below(wave.instrument, question.dimension.as_deref(), code))
                .filter_map(|question| Some((question, question.kind.scale_max()?)))
                .collect();
            for row in &wave.rows {
                let points =
                    |(question, max): &(&Question, u32)| self.yardstick.points_of(*max, answer_to(&row.answers, &question.code)?.points()?);
                let mut answered = questions.iter().filter_map(points).peekable();
                respondents += i64::from(answered.peek().is_some());
                answered.for_each(|points| answers.add(points, row.weight));
            }
        }
        (answers, respondents)
    }

    /// The mean points of a dimension and those below it, and how many respondents answered it.
    pub fn dimension(&self, code: &str) -> (Figure, i64) {
        let (answers, respondents) = self.dimension_answers(code);
        (mean(&answers.answers()), respondents)
    }

    /// Every dimension, at whatever level it stands: of many estates only the last wave says which ones are of the first.
    pub(super) fn index_sums(&self) -> (Sums, Vec<Behind>) {
        let codes: BTreeMap<i64, &str> = self
            .waves
            .iter()
            .flat_map(|wave| &wave.instrument.dimensions)
            .map(|dimension| (key(&dimension.code), dimension.code.as_str()))
            .collect();
        let mut sums = Sums::default();
        for (key, code) in codes {
            let (answers, respondents) = self.dimension_answers(code);
            if respondents > 0 {
                sums.alike.insert(key, answers);
                sums.respondents.insert(key, respondents);
            }
        }
        (sums, self.waves.iter().flat_map(|wave| &wave.rows).map(|row| behind(row, true, 0)).collect())
    }

    /// F-02b: dimensions of the first level, by the weights of the last wave's instrument.
    pub fn index(&self) -> Figure {
        let weights = self.waves.last().map(|last| weights(last.instrument));
        Sums { weights, ..self.index_sums().0 }.index()
    }
}
