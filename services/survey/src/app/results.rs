//! What waves found, published and compared.

use prost::Message;
use steward_kit::auth::Access;
use steward_kit::{Error, Result};

use super::App;
use super::rules::Frozen;
use super::transact::{Call, Follows, Target};
use super::waves::WaveView;
use crate::domain::codes::WaveState;
use crate::domain::ids::WaveId;
use crate::domain::{Numbers, PageFigure, ResultPage, Rules, Shown, Terms, Wave, WaveFigures, Yardstick, figures_of, publishable};
use crate::events::publish;
use crate::store::counts::{load_given, load_numbers};

/// Two waves and their figures.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) baseline: Wave,
    pub(crate) before: WaveFigures,
    pub(crate) wave: Wave,
    pub(crate) after: WaveFigures,
}

impl App {
    /// The results of a wave. Four trips; the cost is that of the wave's valid responses.
    pub(crate) async fn wave_results(&self, access: &Access, id: WaveId) -> Result<(WaveView, WaveFigures, Terms)> {
        let view = self.wave_view(access, id).await?;
        let (figures, terms) = self.figures(&view.wave, &view.numbers).await?;
        Ok((view, figures, terms))
    }

    /// The figures of a wave, from its valid responses. One trip.
    pub(super) async fn figures(&self, wave: &Wave, numbers: &Numbers) -> Result<(WaveFigures, Terms)> {
        let frozen: std::sync::Arc<Frozen> = self.frozen(wave.version_id).await?;
        let terms = self.rules.of_wave(wave).await?.terms(&wave.programme_code);
        let given = load_given(self.db.pool(), wave.estate_id, wave.id).await?;
        let yardstick = Yardstick {
            satisfied: terms.satisfied.clone(),
            include_neutral: terms.include_neutral,
            score_map: terms.score_map.clone(),
            suppress_below: terms.suppress_below,
        };
        let population = Some(numbers.eligible).filter(|eligible| *eligible > 0);
        let rules = Rules { instrument: &frozen.rules, yardstick: &yardstick, population };
        Ok((figures_of(&rules, &given), terms))
    }

    /// Two waves of comparable instruments (SV-34). Eight trips.
    pub(crate) async fn compare_waves(&self, access: &Access, id: WaveId, baseline: Option<WaveId>) -> Result<Compared> {
        let wave: Wave = self.load(access, id).await?;
        let detail = "must be given: the design names no pair";
        let baseline = baseline.or(wave.design.pair_wave_id);
        let baseline = baseline.ok_or_else(|| Error::invalid("baseline_wave_id", "required", detail))?;
        let baseline: Wave = self.load(access, baseline).await?;
        self.must_be_comparable(&baseline, &wave).await?;
        let numbers = load_numbers(self.db.pool(), baseline.estate_id, baseline.id).await?;
        let (before, _) = self.figures(&baseline, &numbers).await?;
        let numbers = load_numbers(self.db.pool(), wave.estate_id, wave.id).await?;
        let (after, _) = self.figures(&wave, &numbers).await?;
        Ok(Compared { baseline, before, wave, after })
    }

    /// Shows the results of a closed wave to residents (SV-31). Six trips.
    pub(crate) async fn publish_results<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        summary: String,
        answer: impl Fn(&Wave) -> A + Sync,
    ) -> Result<A> {
        let (view, figures, _) = self.wave_results(call.access, target.id.into()).await?;
        let shown: Vec<PageFigure> = publishable(&figures).into_iter().map(on_page).collect();
        let n = view.numbers.valid;
        let response_rate = rate(n, view.numbers.invited);
        let decide = |wave: &Wave, now| {
            match wave.state {
                WaveState::Closed | WaveState::Archived => {}
                WaveState::Draft | WaveState::Framed | WaveState::Launched | WaveState::Cancelled => {
                    return Err(wave.forbids("results are published when the wave is closed"));
                }
            }
            let page = ResultPage { summary: summary.clone(), publish_time: now, n, response_rate, figures: shown.clone() };
            let published = Wave { page: Some(page), update_time: now, ..wave.clone() };
            let fact = publish::results_published(&published, n, now);
            Ok((published, Follows::event(fact)))
        };
        self.change(call, target, decide, answer).await
    }
}

fn on_page(figure: &Shown) -> PageFigure {
    PageFigure {
        metric: figure.metric.to_owned(),
        method: figure.method.clone(),
        n: figure.n,
        value: figure.value,
        weighted_value: figure.weighted_value,
        interval: figure.interval.unwrap_or_default(),
        is_suppressed: figure.is_suppressed,
    }
}

/// A share for a reader; 0 of none.
#[allow(clippy::cast_precision_loss, reason = "counts of households are far below 2^52")]
pub(crate) fn rate(part: i64, of: i64) -> f64 {
    if of > 0 { part as f64 / of as f64 } else { 0.0 }
}
