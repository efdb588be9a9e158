//! Product and limit by turns in one run: what the machine does to one it does to the other, so the ratio of neighbours is what counts.

use anyhow::Result;

use crate::quantiles::median;

/// What both sides reached, turn by turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs(Vec<(f64, f64)>);

/// Runs both sides so many times. Who begins changes with each turn, so that neither always finds the other's traces.
pub(crate) async fn by_turns<T>(
    turns: usize,
    mut product: impl AsyncFnMut() -> Result<T>,
    mut limit: impl AsyncFnMut() -> Result<T>,
) -> Result<Vec<(T, T)>> {
    let mut all = Vec::with_capacity(turns);
    for turn in 0..turns {
        all.push(match turn % 2 {
            0 => {
                let first = product().await?;
                (first, limit().await?)
            }
            _ => {
                let first = limit().await?;
                (product().await?, first)
            }
        });
    }
    Ok(all)
}

impl Pairs {
    /// [`by_turns`], of single figures.
    pub(crate) async fn measured(
        turns: usize,
        product: impl AsyncFnMut() -> Result<f64>,
        limit: impl AsyncFnMut() -> Result<f64>,
    ) -> Result<Self> {
        by_turns(turns, product, limit).await.map(Self)
    }

    /// One figure of each turn.
    pub(crate) fn of<T>(turns: &[(T, T)], figure: impl Fn(&T) -> f64) -> Self {
        Self(turns.iter().map(|(product, limit)| (figure(product), figure(limit))).collect())
    }

    /// The product's median.
    pub(crate) fn product(&self) -> f64 {
        median(self.0.iter().map(|pair| pair.0))
    }

    /// The limit's median.
    pub(crate) fn limit(&self) -> f64 {
        median(self.0.iter().map(|pair| pair.1))
    }

    /// The median of the ratios of neighbours.
    pub(crate) fn ratio(&self) -> f64 {
        median(self.ratios())
    }

    /// The lowest and the highest ratio, for the note.
    pub(crate) fn spread(&self) -> String {
        let (least, most) = self.ratios().fold((f64::MAX, f64::MIN), |(least, most), one| (least.min(one), most.max(one)));
        format!("{} turns, ratios {least:.2} to {most:.2}", self.0.len())
    }

    fn ratios(&self) -> impl Iterator<Item = f64> {
        self.0.iter().map(|(product, limit)| product / limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_ratio_is_of_neighbours_and_not_of_medians() {
        // A machine that is slow in the second turn is slow for both.
        let speed = std::cell::RefCell::new([4.0, 4.0, 1.0, 1.0, 2.0, 2.0].into_iter());
        let next = || speed.borrow_mut().next().unwrap();
        let pairs = Pairs::measured(3, async || Ok(next() * 80.0), async || Ok(next() * 100.0)).await.unwrap();
        assert!((pairs.ratio() - 0.8).abs() < 1e-9);
        assert!((pairs.product() - 160.0).abs() < 1e-9);
        assert_eq!(pairs.spread(), "3 turns, ratios 0.80 to 0.80");
    }
}
