//! F-03 and F-04: whether customers recommend the service, and stay.

use super::answers::Answers;
use super::figure::{Figure, Part};
use super::interval::{around, variance_of_share};
use super::ratio::Ratio;

/// F-03: 100 times the difference of promoters (9, 10) and detractors (0 to 6), by answers. Never a rate.
pub fn nps(answers: &Answers) -> Figure {
    let promoters = answers.picked(|level| level >= 9);
    let detractors = answers.picked(|level| level <= 6);
    let (n, weight) = (answers.n(), answers.weight());
    let value = Ratio::new((promoters.weight - detractors.weight) * 100, weight);
    let interval = value.map(|value| {
        let share = |part: i128| Ratio::new(part, weight).map_or(0.0, Ratio::as_f64);
        let (up, down) = (share(promoters.weight), share(detractors.weight));
        let variance = (up + down - (up - down) * (up - down)) / answers.effective_size().max(1.0);
        around(value.as_f64(), &[variance * 10_000.0])
    });
    Figure::of(value, n).within(interval).beside([
        Part::count("promoters", promoters.n),
        Part::count("passives", n - promoters.n - detractors.n),
        Part::count("detractors", detractors.n),
    ])
}

/// How loyalty is defined; the source plan gives no definition, so the plan names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoyaltyMethod {
    /// Satisfied overall, and likely to recommend, and likely to stay.
    Composite,
    /// Likely to recommend.
    RecommendOnly,
    /// The mean of the three shares.
    MeanOfThree,
}

/// How those who answered all three questions answered them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoyaltyCounts {
    /// Answered all three.
    pub answered: i64,
    /// Positive on all three.
    pub all_three: i64,
    /// Satisfied overall.
    pub satisfied: i64,
    /// Likely to recommend.
    pub recommend: i64,
    /// Likely to repurchase or renew.
    pub stay: i64,
}

/// F-04
pub fn loyalty_rate(counts: &LoyaltyCounts, method: LoyaltyMethod, population: Option<i64>) -> Figure {
    let shown = [
        Part::rate("satisfied", counts.satisfied, counts.answered),
        Part::rate("recommend", counts.recommend, counts.answered),
        Part::rate("stay", counts.stay, counts.answered),
    ];
    match method {
        LoyaltyMethod::Composite => Figure::rate_of(counts.all_three, counts.answered, population),
        LoyaltyMethod::RecommendOnly => Figure::rate_of(counts.recommend, counts.answered, population),
        LoyaltyMethod::MeanOfThree => {
            let sum = counts.satisfied + counts.recommend + counts.stay;
            let n = Ratio::whole(counts.answered).as_f64();
            let variance = |part: i64| variance_of_share(Ratio::new(part.into(), counts.answered.into()).map_or(0.0, Ratio::as_f64), n);
            let value = Ratio::new(sum.into(), i128::from(counts.answered) * 3);
            // The three are answered by the same people: the interval is that of fully dependent answers.
            let spread = [counts.satisfied, counts.recommend, counts.stay].map(|part| variance(part).sqrt()).iter().sum::<f64>() / 3.0;
            Figure { n: counts.answered, numerator: sum.into(), denominator: i128::from(counts.answered.max(0)) * 3, ..Figure::default() }
                .within(value.map(|value| around(value.as_f64(), &[spread * spread])))
        }
    }
    .beside(shown)
}

#[cfg(test)]
mod tests {
    use super::super::unit::Unit;
    use super::*;

    /// F-03, vector 2, SV-42
    #[test]
    fn ninety_six_promoters_and_forty_detractors_of_200_are_28() {
        let figure = nps(&Answers::unweighted([(10, 50), (9, 46), (8, 30), (7, 34), (6, 20), (0, 20)]));
        assert_eq!(figure.value(), Some(Ratio::whole(28)));
        assert_eq!(Unit::Nps.show(figure.value().unwrap()), "28");
        assert_eq!(figure.part("passives"), Some(&Part::count("passives", 64)));
        let interval = figure.interval.unwrap();
        assert!(interval.low < 28.0 && interval.high > 28.0 && interval.high - interval.low < 25.0);
        assert_eq!(nps(&Answers::unweighted([(3, 5)])).value(), Some(Ratio::whole(-100)));
        assert_eq!(nps(&Answers::default()).value(), None);
    }

    /// F-04, SV-23: the composite by default, its variants by name.
    #[test]
    fn loyalty_differs_by_its_definition() {
        let counts = LoyaltyCounts { answered: 100, all_three: 70, satisfied: 90, recommend: 86, stay: 79 };
        let shown = |method| Unit::Rate.show(loyalty_rate(&counts, method, None).value().unwrap());
        assert_eq!(shown(LoyaltyMethod::Composite), "70.0");
        assert_eq!(shown(LoyaltyMethod::RecommendOnly), "86.0");
        assert_eq!(shown(LoyaltyMethod::MeanOfThree), "85.0");
        assert_eq!(loyalty_rate(&LoyaltyCounts::default(), LoyaltyMethod::MeanOfThree, None).value(), None);
    }
}
