//! Answers counted by one yardstick. Everything is a share, a mean or a count of rows, with design weights, and the figure
//! without them beside it (SV-38).

use steward_kit::metric::{
    Answers, DimensionMean, Figure, LoyaltyCounts, LoyaltyMethod, Part, Ratio, SatisfiedLevels, Scale, Unit, WEIGHT_ONE, csat_index,
    csat_rate, loyalty_rate, nps,
};

use super::super::answer::{Value, answer_to};
use super::super::codes::Role;
use super::super::instrument::{Instrument, Question};
use super::yardstick::Yardstick;
use super::{Behind, Counted, RESPONSE, Row, UNWEIGHTED};

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

fn without_weights(answers: &Answers) -> Answers {
    Answers::unweighted(answers.levels().map(|(level, count)| (level, count.n)))
}

fn is_weighted(answers: &Answers) -> bool {
    answers.levels().any(|(_, count)| count.weight != i128::from(count.n) * i128::from(WEIGHT_ONE))
}

/// A share of answers that are 1 out of those that are 0 or 1.
pub(super) fn share(answers: &Answers, population: Option<i64>) -> Figure {
    csat_rate(answers, &SatisfiedLevels::of(Scale::Five, &[1], false), population)
}

/// The mean of points that stand as levels.
fn mean(answers: &Answers) -> Figure {
    let plain = answers.levels().map(|(points, count)| i128::from(points) * i128::from(count.n)).sum();
    if !is_weighted(answers) {
        return Figure::mean(plain, answers.n());
    }
    let weighted = Figure { n: answers.n(), numerator: answers.points(i64::from), denominator: answers.weight(), ..Figure::default() };
    weighted.beside([Part::of(UNWEIGHTED, Ratio::new(plain, answers.n().into()), Unit::Points)])
}

impl Tally<'_> {
    /// Each answer in points to a question, with the highest of its scale.
    fn levels(&self, picks: Picks<'_>) -> Vec<(&Row, u32, u32)> {
        let mut found = Vec::new();
        for wave in &self.waves {
            let Some((question, max)) = picks(wave.instrument).and_then(|question| Some((question, question.kind.scale_max()?))) else {
                continue;
            };
            let answered = |row: &&Row| answer_to(&row.answers, &question.code)?.points();
            found.extend(wave.rows.iter().filter_map(|row| Some((*row, max, answered(row)?))));
        }
        found
    }

    /// 1 for each satisfied answer to a question, 0 for each other.
    pub(super) fn satisfied_answers(&self, picks: Picks<'_>) -> (Answers, Vec<Behind>) {
        let (mut answers, mut rows) = (Answers::default(), Vec::new());
        for (row, max, level) in self.levels(picks) {
            let Some(satisfied) = self.yardstick.satisfied_of(max) else { continue };
            let is_satisfied = satisfied.contains(&level);
            answers.add(u32::from(is_satisfied), 1, row.weight);
            rows.push(behind(row, is_satisfied, i64::from(level)));
        }
        (answers, rows)
    }

    /// The share of satisfied answers to a question (F-01).
    pub fn satisfied_share(&self, picks: Picks<'_>) -> Counted {
        let (answers, rows) = self.satisfied_answers(picks);
        Counted { figure: share(&answers, self.population), rows }
    }

    /// The mean points of a question (F-02).
    pub fn mean_points(&self, picks: Picks<'_>) -> Counted {
        let (mut answers, mut rows) = (Answers::default(), Vec::new());
        for (row, max, level) in self.levels(picks) {
            let Some(points) = self.yardstick.points_of(max, level) else { continue };
            answers.add(points, 1, row.weight);
            rows.push(behind(row, true, i64::from(points)));
        }
        Counted { figure: mean(&answers), rows }
    }

    /// F-01
    pub fn csat_rate(&self) -> Counted {
        self.satisfied_share(&|instrument| instrument.with_role(Role::Overall))
    }

    /// F-02
    pub fn csat_score(&self) -> Counted {
        self.mean_points(&|instrument| instrument.with_role(Role::Overall))
    }

    /// F-03: of answers from 0 to 10.
    pub fn nps(&self) -> Counted {
        let (mut answers, mut rows) = (Answers::default(), Vec::new());
        let recommend = self.levels(&|instrument| instrument.with_role(Role::Recommend));
        for (row, _, level) in recommend.into_iter().filter(|(_, max, _)| *max == 10) {
            answers.add(level, 1, row.weight);
            rows.push(behind(row, level >= 9, i64::from(level)));
        }
        let mut figure = nps(&answers);
        if is_weighted(&answers) {
            figure.parts.push(Part::of(UNWEIGHTED, nps(&without_weights(&answers)).value(), Unit::Nps));
        }
        Counted { figure, rows }
    }

    /// 1 for each loyal respondent, 0 for each other, of those who answered all three questions; and how they answered each.
    pub(super) fn loyal_answers(&self) -> (Answers, LoyaltyCounts, Vec<Behind>) {
        let (mut answers, mut counts, mut rows) = (Answers::default(), LoyaltyCounts::default(), Vec::new());
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
                answers.add(u32::from(loyal), 1, row.weight);
                rows.push(behind(row, loyal, 0));
            }
        }
        (answers, counts, rows)
    }

    /// F-04: of those who answered all three questions.
    pub fn loyalty(&self) -> Counted {
        let (answers, counts, rows) = self.loyal_answers();
        let unweighted = loyalty_rate(&counts, self.yardstick.loyalty, self.population);
        let figure = match self.yardstick.loyalty {
            LoyaltyMethod::Composite | LoyaltyMethod::RecommendOnly if is_weighted(&answers) => {
                share(&answers, self.population).beside(unweighted.parts)
            }
            // A mean of three shares is not weighed: it is a variant for comparison with others' figures.
            LoyaltyMethod::Composite | LoyaltyMethod::RecommendOnly | LoyaltyMethod::MeanOfThree => unweighted,
        };
        Counted { figure, rows }
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
    pub(super) fn said_answers(&self, role: Role) -> (Answers, Vec<Behind>) {
        let (mut answers, mut rows) = (Answers::default(), Vec::new());
        for wave in &self.waves {
            let Some(question) = wave.instrument.with_role(role) else { continue };
            for row in &wave.rows {
                if let Some(said) = answer_to(&row.answers, &question.code).and_then(Value::yes) {
                    answers.add(u32::from(said), 1, row.weight);
                    rows.push(behind(row, said, 0));
                }
            }
        }
        (answers, rows)
    }

    /// F-05b, F-06b: those who said yes to the question of a role, by those who answered it. Whether a complaint was handled in time
    /// is asked of complainants only, whose number nobody knows.
    pub fn said(&self, role: Role) -> Counted {
        let (answers, rows) = self.said_answers(role);
        Counted { figure: share(&answers, self.population.filter(|_| role == Role::Complained)), rows }
    }

    /// SV-26: opinions and suggestions, counted; no text is read.
    pub fn suggestions(&self) -> Counted {
        let mut rows = Vec::new();
        for wave in &self.waves {
            for question in wave.instrument.questions.iter().filter(|question| question.role == Some(Role::Suggestion)) {
                let answered = wave.rows.iter().filter(|row| answer_to(&row.answers, &question.code).is_some());
                // A count of texts gives nobody away: it has no rows that could be suppressed.
                rows.extend(answered.map(|row| Behind { kind: "suggestion", ..behind(row, true, 1) }));
            }
        }
        Counted { figure: Figure::count(i64::try_from(rows.len()).unwrap_or(i64::MAX)), rows }
    }

    /// The mean points of a dimension and those below it, and how many respondents answered it.
    pub fn dimension(&self, code: &str) -> (Figure, i64) {
        let (mut answers, mut respondents) = (Answers::default(), 0);
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
                answered.for_each(|points| answers.add(points, 1, row.weight));
            }
        }
        (mean(&answers), respondents)
    }

    /// F-02b: dimensions of the first level, by the weights of the last wave's instrument.
    pub fn index(&self) -> Counted {
        let Some(last) = self.waves.last() else { return Counted::default() };
        let top: Vec<_> = last.instrument.dimensions.iter().filter(|dimension| dimension.parent.is_none()).collect();
        let mut means = Vec::with_capacity(top.len());
        let mut plain = Vec::with_capacity(top.len());
        for dimension in top {
            let weight = last.instrument.weight_of(dimension);
            let (mean, n) = self.dimension(&dimension.code);
            plain.push(DimensionMean { weight, mean: super::plain(&mean), n });
            means.push(DimensionMean { weight, mean: mean.value(), n });
        }
        let mut figure = csat_index(&means);
        if means != plain {
            figure.parts.push(Part::of(UNWEIGHTED, csat_index(&plain).value(), Unit::Points));
        }
        let rows = self.waves.iter().flat_map(|wave| &wave.rows).map(|row| behind(row, true, 0)).collect();
        Counted { figure, rows }
    }
}
