//! How a storm day's reports are spread over the day.

/// Minutes of a day.
pub const MINUTES: u32 = 24 * 60;

/// The hour in which the storm is over the estates: 18:00 to 19:00, when people come home to it.
pub const STORM_HOUR: u32 = 18;

/// Of a hundred reports, those of the storm hour.
const STORM_SHARE: u32 = 15;

/// What the other hours weigh beside each other: little at night, more in the morning, most before and after the storm.
const WEIGHTS: [u32; 24] = [2, 1, 1, 1, 1, 2, 4, 6, 7, 6, 5, 5, 4, 4, 5, 6, 8, 10, 0, 11, 9, 7, 5, 3];

/// At which minute of the day each of so many reports comes, in order.
pub fn minutes(orders: u32) -> Vec<u32> {
    let storm = (u64::from(orders) * u64::from(STORM_SHARE) + 50) / 100;
    let (rest, weights) = (u64::from(orders) - storm, u64::from(WEIGHTS.iter().sum::<u32>()));
    let mut all = Vec::new();
    let mut passed = 0;
    for (hour, weight) in (0..).zip(WEIGHTS) {
        let before = rest * passed / weights;
        passed += u64::from(weight);
        let count = if hour == STORM_HOUR { storm } else { rest * passed / weights - before };
        let minute = |n: u64| hour * 60 + u32::try_from(n * 60 / count.max(1)).unwrap_or(0);
        all.extend((0..count).map(minute));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_has_its_minute_and_fifteen_in_a_hundred_fall_into_the_storm_hour() {
        for orders in [1, 300, 18_000] {
            let all = minutes(orders);
            assert_eq!(all.len(), usize::try_from(orders).unwrap());
            assert!(all.is_sorted() && all.iter().all(|minute| *minute < MINUTES), "in order, within the day");
        }
        let in_storm = minutes(18_000).into_iter().filter(|minute| minute / 60 == STORM_HOUR).count();
        assert_eq!(in_storm, 2_700);
    }
}
