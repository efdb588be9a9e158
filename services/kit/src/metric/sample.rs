//! F-12: how many answers a survey needs.

use super::ratio::Ratio;

/// What is wanted of a sample. Exact fractions, so that two planners agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplePlan {
    /// Quantile of the confidence: 196/100 for 95 per cent.
    pub z: Ratio,
    /// Expected share; a half is the worst case.
    pub share: Ratio,
    /// Margin of error, such as 5/100.
    pub margin: Ratio,
}

impl SamplePlan {
    /// 95 per cent, worst case, with that margin; `None` for a margin of nothing.
    pub fn with_margin(margin: Ratio) -> Option<Self> {
        let share = Ratio::new(1, 2)?;
        (margin > Ratio::ZERO).then_some(Self { z: Ratio::new(196, 100)?, share, margin })
    }

    /// Answers needed of a population: `n0 = z²·p(1−p)/e²`, `n = ⌈n0/(1+(n0−1)/N)⌉`; of an unbounded one `⌈n0⌉`. Never
    /// more than there are.
    pub fn size(self, population: Option<i64>) -> Option<i64> {
        let n0 = self.z.times(self.z)?.times(self.share)?.times(Ratio::ONE.minus(self.share)?)?.over(self.margin.times(self.margin)?)?;
        let Some(population) = population else { return Some(ceil(n0)) };
        if population <= 0 {
            return Some(0);
        }
        let correction = Ratio::ONE.plus(n0.minus(Ratio::ONE)?.over(Ratio::whole(population))?)?;
        Some(ceil(n0.over(correction)?).min(population))
    }
}

/// How many to invite for so many answers, at an expected response rate; `None` for a rate outside 0 to 1.
pub fn invitations(answers: i64, response_rate: Ratio) -> Option<i64> {
    (response_rate > Ratio::ZERO && response_rate <= Ratio::ONE).then(|| Ratio::whole(answers).over(response_rate).map(ceil))?
}

/// The margin that `n` answers of a population reach, worst case: for a reader, so floating.
pub fn margin_reached(n: i64, population: Option<i64>) -> Option<f64> {
    if n <= 0 {
        return None;
    }
    let size = Ratio::whole(n).as_f64();
    let infinite = 1.96 * (0.25 / size).sqrt();
    Some(match population {
        Some(all) if all <= n => 0.0,
        Some(all) => {
            let all = Ratio::whole(all).as_f64();
            infinite * ((all - size) / (all - 1.0)).sqrt()
        }
        None => infinite,
    })
}

fn ceil(value: Ratio) -> i64 {
    let floor = value.floor();
    if Ratio::whole(floor) == value { floor } else { floor.saturating_add(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(per_cent: i128) -> SamplePlan {
        SamplePlan::with_margin(Ratio::new(per_cent, 100).unwrap()).unwrap()
    }

    /// F-12, vector 7, SV-36
    #[test]
    fn sample_sizes_are_those_of_the_vector() {
        let five = plan(5);
        for (population, size) in [(300, 169), (1_000, 278), (1_800, 317), (5_000, 357), (400_000, 384)] {
            assert_eq!(five.size(Some(population)), Some(size), "{population}");
        }
        assert_eq!(plan(3).size(None), Some(1_068));
    }

    /// F-12: n=300 reaches ±5.7 % of many and ±4.7 % of 1,000.
    #[test]
    fn margins_reached_are_those_of_the_formula() {
        let per_cent = |margin: Option<f64>| format!("{:.1}", margin.unwrap() * 100.0);
        assert_eq!(per_cent(margin_reached(300, None)), "5.7");
        assert_eq!(per_cent(margin_reached(300, Some(1_000))), "4.7");
        assert_eq!(per_cent(margin_reached(300, Some(300))), "0.0");
        assert_eq!(margin_reached(0, None), None);
    }

    /// F-12
    #[test]
    fn invitations_are_the_answers_by_the_response_rate_rounded_up() {
        assert_eq!(invitations(317, Ratio::new(30, 100).unwrap()), Some(1_057));
        assert_eq!(invitations(317, Ratio::ZERO), None);
        assert_eq!(plan(5).size(Some(3)), Some(3));
        assert_eq!(plan(5).size(Some(0)), Some(0));
    }
}
