//! What waves found, published and compared.

use std::sync::Arc;

use prost::Message;
use steward_kit::auth::Access;
use steward_kit::metric::Figure;
use steward_kit::{Error, Result};

use super::App;
use super::rules::Frozen;
use super::transact::{Call, Follows, Target, or_repeated};
use super::waves::WaveView;
use crate::domain::codes::WaveState;
use crate::domain::figures::{Answered, Tally, Yardstick, differences};
use crate::domain::ids::WaveId;
use crate::domain::{Difference, Fraction, Numbers, PageFigure, ResultPage, Rules, Terms, Wave, WaveFigures, figures_of, publishable};
use crate::events::publish;
use crate::store::counts::load_numbers;
use crate::store::facts::list_rows;

/// What a wave found, and by which rules.
#[derive(Debug)]
struct Found {
    answered: Answered,
    yardstick: Yardstick,
    terms: Terms,
    figures: WaveFigures,
}

/// Two waves and their figures.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) baseline: Wave,
    pub(crate) before: WaveFigures,
    pub(crate) wave: Wave,
    pub(crate) after: WaveFigures,
    /// How much satisfaction, loyalty and complaints moved.
    pub(crate) moved: [Difference; 3],
}

impl App {
    /// The results of a wave. Four trips; the cost is that of the wave's valid responses.
    pub(crate) async fn wave_results(&self, access: &Access, id: WaveId) -> Result<(WaveView, WaveFigures, Terms)> {
        let view = self.wave_view(access, id).await?;
        let found = self.found(&view.wave, &view.numbers).await?;
        Ok((view, found.figures, found.terms))
    }

    /// The figures of a wave, from its valid responses. One trip.
    async fn found(&self, wave: &Wave, numbers: &Numbers) -> Result<Found> {
        let terms = self.rules.of_wave(wave).await?.terms(&wave.programme_code);
        let answered = self.answered(wave).await?;
        let yardstick = terms.yardstick(&answered.instrument);
        let population = Some(numbers.eligible).filter(|eligible| *eligible > 0);
        let rules = Rules { yardstick: &yardstick, population, invited: numbers.invited, suppress_below: terms.suppress_below };
        let figures = figures_of(&rules, &answered);
        Ok(Found { answered, yardstick, terms, figures })
    }

    /// The valid responses of a wave with what was asked. One trip.
    pub(super) async fn answered(&self, wave: &Wave) -> Result<Answered> {
        let frozen: Arc<Frozen> = self.frozen(wave.version_id).await?;
        let rows = list_rows(&mut *self.connection().await?, wave.estate_id, wave.id).await?;
        Ok(Answered { instrument: frozen.rules.clone(), rows })
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
        let before = self.found(&baseline, &numbers).await?;
        let numbers = load_numbers(self.db.pool(), wave.estate_id, wave.id).await?;
        let after = self.found(&wave, &numbers).await?;
        let moved = differences(&tally(&before), &tally(&after)).map(|moved: Figure| Difference::of(&moved));
        Ok(Compared { baseline, before: before.figures, wave, after: after.figures, moved })
    }

    /// Shows the results of a closed wave to residents (SV-31). Six trips.
    pub(crate) async fn publish_results<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        summary: String,
        answer: impl Fn(&Wave) -> A + Sync,
    ) -> Result<A> {
        let (view, figures, _) = or_repeated!(self, call, self.wave_results(call.access, target.id.into()).await);
        let shown: Vec<PageFigure> = publishable(&figures).into_iter().map(PageFigure::of).collect();
        let n = view.numbers.valid;
        let response_rate = Fraction::of(figures.response_rate.plain);
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

fn tally(found: &Found) -> Tally<'_> {
    Tally { yardstick: &found.yardstick, waves: vec![found.answered.asked()], population: None }
}
