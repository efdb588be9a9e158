//! A month to come, after the same month of the years before (WO-58).
//!
//! The level is the mean of the last twelve whole months. A month of the year stands out by what it had, over all whole years, for each
//! case of their mean month. Expected is the one times the other. How far counts scatter around that in the past says how far the month
//! may lie off: counts scatter at least as the square root of their mean, and as much more as they did (a quasi-Poisson model, 95 per cent).

/// Whole years that a forecast needs.
pub const WHOLE_YEARS: usize = 2;

const MONTHS: usize = 12;

/// What a month to come will bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Cases expected.
    pub expected: i64,
    /// Not fewer, with 95 per cent certainty.
    pub lowest: i64,
    /// Not more, with 95 per cent certainty.
    pub highest: i64,
    /// Mean of the last twelve months, in thousandths.
    pub usual_milli: i64,
    /// The month above an ordinary one, in parts per million.
    pub uplift_ppm: i64,
}

/// A forecast of the month that comes `ahead` months after the last one (1 is the next). `history` are whole months without a gap,
/// oldest first; of them the last whole years are used. `None` for less than [`WHOLE_YEARS`] of them, or without a single case.
pub fn forecast(history: &[i64], ahead: usize) -> Option<Forecast> {
    let years = history.len() / MONTHS;
    if years < WHOLE_YEARS || ahead == 0 {
        return None;
    }
    let used: Vec<f64> = history[history.len() - years * MONTHS..].iter().map(|count| number(*count)).collect();
    let total: f64 = used.iter().sum();
    if total <= 0.0 {
        return None;
    }
    let of_years = number_of(years);
    // Place 0 is the month that follows the last one, a year ago: seasons by their distance, not by their names.
    let season = |place: usize| used.iter().skip(place).step_by(MONTHS).sum::<f64>() / (total / number_of(MONTHS));
    let level_of = |year: usize| used[year * MONTHS..(year + 1) * MONTHS].iter().sum::<f64>() / number_of(MONTHS);
    let fitted = |at: usize| level_of(at / MONTHS) * season(at % MONTHS);
    let misfit: f64 = (0..used.len())
        .map(|at| (used[at], fitted(at)))
        .filter(|(_, fit)| *fit > 0.0)
        .map(|(count, fit)| (count - fit).powi(2) / fit)
        .sum();
    let free = number_of(used.len() - MONTHS - years + 1);
    let scatter = (misfit / free).max(1.0);
    let (usual, season) = (level_of(years - 1), season((ahead - 1) % MONTHS));
    let expected = usual * season;
    // The month's own scatter, that of the season (seen once a year) and that of the level (seen in twelve months).
    let deviation = (scatter * expected * (1.0 + 1.0 / of_years + season / number_of(MONTHS))).sqrt();
    Some(Forecast {
        expected: whole(expected.round()),
        lowest: whole((expected - 1.96 * deviation).floor().max(0.0)),
        highest: whole((expected + 1.96 * deviation).ceil()),
        usual_milli: whole((usual * 1000.0).round()),
        uplift_ppm: whole(((season - 1.0) * 1_000_000.0).round()),
    })
}

#[allow(clippy::cast_precision_loss, reason = "counts of a month are far below 2^52")]
fn number(count: i64) -> f64 {
    count as f64
}

#[allow(clippy::cast_precision_loss, reason = "a number of months")]
fn number_of(count: usize) -> f64 {
    count as f64
}

#[allow(clippy::cast_possible_truncation, reason = "rounded before, and far below 2^52")]
fn whole(value: f64) -> i64 {
    value as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// January to December: 120 in June, July and August, 100 otherwise but 80 in three months of winter, so that a mean month has 100.
    const YEAR: [i64; 12] = [80, 80, 100, 100, 100, 120, 120, 120, 100, 100, 100, 80];

    /// WO-58: after two summers the next June is forecast a fifth above an ordinary month, with an interval around it.
    #[test]
    fn after_two_summers_the_third_is_foreseen() {
        let history = [YEAR, YEAR].concat();
        let june = forecast(&history, 6).expect("two whole years");
        assert_eq!((june.expected, june.uplift_ppm, june.usual_milli), (120, 200_000, 100_000));
        assert!(june.lowest < 120 && 120 < june.highest && june.lowest > 80, "{june:?}");
        let january = forecast(&history, 1).expect("two whole years");
        assert_eq!(january.expected, 80);
    }

    /// WO-58: it goes by how things stand now, and by the season of every year.
    #[test]
    fn a_growing_estate_grows_in_the_forecast() {
        let history = [YEAR, YEAR.map(|count| count * 2)].concat();
        let june = forecast(&history, 6).expect("two whole years");
        assert_eq!((june.expected, june.usual_milli), (240, 200_000));
    }

    /// WO-58: where counts jump about, the interval is wide.
    #[test]
    fn what_scatters_is_less_certain() {
        let calm = forecast(&[YEAR, YEAR, YEAR].concat(), 6).expect("three years");
        let wild: Vec<i64> =
            [YEAR, YEAR, YEAR].concat().iter().enumerate().map(|(at, count)| if at % 5 == 0 { count * 3 } else { *count }).collect();
        let wild = forecast(&wild, 6).expect("three years");
        assert!(wild.highest - wild.lowest > 2 * (calm.highest - calm.lowest), "{calm:?} {wild:?}");
    }

    #[test]
    fn less_than_two_years_or_nothing_at_all_says_nothing() {
        assert_eq!(forecast(&[10; 23], 1), None);
        assert_eq!(forecast(&[0; 24], 1), None);
    }
}
