//! Results as messages.

use steward_kit::metric::wire::SMALL_SAMPLE;
use steward_kit::proto::to_timestamp;
use steward_proto::survey::v1 as pb;

use super::encode;
use crate::app::{Compared, WaveView};
use crate::contract::Code;
use crate::domain::{AnswerCount, Difference, DimensionResult, PageFigure, QuestionResult, Shown, Terms, Wave, WaveFigures};

/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;

fn figure(shown: &Shown) -> pb::Figure {
    of_page(&PageFigure::of(shown), shown.is_small_sample())
}

/// A figure, as it is or as it was.
fn of_page(shown: &PageFigure, is_small_sample: bool) -> pb::Figure {
    let (low, high) = shown.interval.unwrap_or_default();
    pb::Figure {
        metric_id: shown.metric.clone(),
        method: shown.method.clone(),
        has_data: shown.n > 0,
        is_suppressed: shown.is_suppressed,
        is_small_sample,
        n: shown.n,
        value: shown.value.as_f64(),
        weighted_value: shown.weighted_value.as_f64(),
        low,
        high,
        confidence: if shown.interval.is_some() { CONFIDENCE } else { 0.0 },
        numerator: shown.value.numerator,
        denominator: shown.value.denominator,
        weighted_numerator: shown.weighted_value.numerator,
        weighted_denominator: shown.weighted_value.denominator,
    }
}

fn question(result: &QuestionResult) -> pb::QuestionResult {
    let count = |count: &AnswerCount| pb::AnswerCount {
        answer: count.answer.clone(),
        count: count.count,
        weighted_count: encode::weight(count.weight),
    };
    pb::QuestionResult {
        question_code: result.code.clone(),
        satisfied_rate: result.satisfied.as_ref().map(figure),
        mean_score: result.score.as_ref().map(figure),
        counts: result.counts.iter().map(count).collect(),
        answered_count: result.answered,
        not_applicable_count: result.not_applicable,
        is_suppressed: result.is_suppressed,
        modes: result
            .modes
            .iter()
            .map(|(mode, shown)| pb::ModeResult { mode: mode.number(), satisfied_rate: Some(figure(shown)) })
            .collect(),
    }
}

fn dimension(result: &DimensionResult) -> pb::DimensionResult {
    pb::DimensionResult {
        dimension_code: result.code.clone(),
        mean_score: Some(figure(&result.score)),
        weight: result.weight.as_f64(),
        importance: result.importance,
    }
}

pub(super) fn results(view: &WaveView, figures: &WaveFigures, terms: &Terms, now: jiff::Timestamp) -> pb::WaveResults {
    let numbers = &view.numbers;
    pb::WaveResults {
        wave_id: view.wave.id.to_string(),
        questionnaire_version_id: view.wave.version_id.to_string(),
        numbers: Some(encode::numbers(numbers, view.wave.required)),
        response_rate: Some(figure(&figures.response_rate)),
        questions: figures.questions.iter().map(question).collect(),
        dimensions: figures.dimensions.iter().map(dimension).collect(),
        csat_rate: Some(figure(&figures.csat_rate)),
        csat_score: Some(figure(&figures.csat_score)),
        csat_index: Some(figure(&figures.csat_index)),
        nps: Some(figure(&figures.nps)),
        loyalty_rate: Some(figure(&figures.loyalty_rate)),
        complaint_rate: Some(figure(&figures.complaint_rate)),
        complaint_timely_rate: Some(figure(&figures.complaint_timely_rate)),
        suggestion_count: Some(figure(&figures.suggestion_count)),
        is_under_sample: numbers.valid < i64::from(view.wave.required),
        suppression_threshold: terms.suppress_below,
        as_of_time: Some(to_timestamp(now)),
    }
}

pub(super) fn comparison(compared: &Compared) -> pb::WaveComparison {
    let pairs = [
        (&compared.before.csat_rate, &compared.after.csat_rate),
        (&compared.before.loyalty_rate, &compared.after.loyalty_rate),
        (&compared.before.complaint_rate, &compared.after.complaint_rate),
    ];
    let moved = |((before, after), moved): ((&Shown, &Shown), Difference)| {
        // What must not be shown must not be told by a difference either.
        let told = before.weighted.is_some() && after.weighted.is_some();
        let Difference { points, low, high, is_significant } = if told { moved } else { Difference::default() };
        pb::FigureDifference {
            baseline: Some(figure(before)),
            current: Some(figure(after)),
            difference_points: points,
            low,
            high,
            is_significant,
        }
    };
    pb::WaveComparison {
        baseline_wave_id: compared.baseline.id.to_string(),
        wave_id: compared.wave.id.to_string(),
        differences: pairs.into_iter().zip(compared.moved).map(moved).collect(),
    }
}

/// What residents are shown; `None` of a wave that shows nothing.
pub(super) fn page(wave: &Wave) -> Option<pb::ResultPage> {
    let page = wave.page.as_ref()?;
    let figure = |shown: &PageFigure| of_page(shown, shown.n < SMALL_SAMPLE);
    Some(pb::ResultPage {
        wave_id: wave.id.to_string(),
        estate_id: wave.estate_id.to_string(),
        name: wave.name.clone(),
        statement: page.summary.clone(),
        publish_time: Some(to_timestamp(page.publish_time)),
        n: page.n,
        response_rate: page.response_rate.as_f64(),
        figures: page.figures.iter().map(figure).collect(),
    })
}
