//! Everything is a share, a mean or a count of answers, with design weights, and the figure without them beside it (SV-38).

use steward_kit::metric::{
    Answers, Figure, LoyaltyCounts, LoyaltyMethod, Part, Ratio, SatisfiedLevels, Scale, Unit, WEIGHT_ONE, csat_rate, loyalty_rate, nps,
};

/// The part of a weighted figure that says it without weights.
pub(super) const UNWEIGHTED: &str = "unweighted";

/// The figure without design weights (SV-38).
pub fn plain(figure: &Figure) -> Option<Ratio> {
    figure.part(UNWEIGHTED).map_or_else(|| figure.value(), Part::value)
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
pub(super) fn mean(answers: &Answers) -> Figure {
    let plain = answers.levels().map(|(points, count)| i128::from(points) * i128::from(count.n)).sum();
    if !is_weighted(answers) {
        return Figure::mean(plain, answers.n());
    }
    let weighted = Figure { n: answers.n(), numerator: answers.points(i64::from), denominator: answers.weight(), ..Figure::default() };
    weighted.beside([Part::of(UNWEIGHTED, Ratio::new(plain, answers.n().into()), Unit::Points)])
}

/// F-03, with and without weights.
pub(super) fn nps_of(answers: &Answers) -> Figure {
    let mut figure = nps(answers);
    if is_weighted(answers) {
        figure.parts.push(Part::of(UNWEIGHTED, nps(&without_weights(answers)).value(), Unit::Nps));
    }
    figure
}

/// F-04: of those who answered all three questions; 1 is loyal.
pub(super) fn loyalty_of(method: LoyaltyMethod, answers: &Answers, counts: &LoyaltyCounts, population: Option<i64>) -> Figure {
    let unweighted = loyalty_rate(counts, method, population);
    match method {
        LoyaltyMethod::Composite | LoyaltyMethod::RecommendOnly if is_weighted(answers) => {
            share(answers, population).beside(unweighted.parts)
        }
        // A mean of three shares is not weighed: it is a variant for comparison with others' figures.
        LoyaltyMethod::Composite | LoyaltyMethod::RecommendOnly | LoyaltyMethod::MeanOfThree => unweighted,
    }
}
