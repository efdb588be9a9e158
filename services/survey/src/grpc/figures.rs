//! Results as messages.

use steward_kit::proto::to_timestamp;
use steward_proto::survey::v1 as pb;

use super::encode;
use crate::app::{Compared, WaveView, rate};
use crate::contract::Code;
use crate::domain::{AnswerCount, DimensionResult, PageFigure, QuestionResult, SMALL_SAMPLE, Shown, Terms, Wave, WaveFigures, difference};

/// Confidence of every interval.
const CONFIDENCE: f64 = 0.95;

fn figure(shown: &Shown) -> pb::Figure {
    let (low, high) = shown.interval.unwrap_or_default();
    pb::Figure {
        metric_id: shown.metric.to_owned(),
        method: shown.method.clone(),
        has_data: shown.n > 0,
        is_suppressed: shown.is_suppressed,
        is_small_sample: shown.n < SMALL_SAMPLE,
        n: shown.n,
        value: shown.value,
        weighted_value: shown.weighted_value,
        low,
        high,
        confidence: if shown.interval.is_some() { CONFIDENCE } else { 0.0 },
    }
}

fn question(result: &QuestionResult) -> pb::QuestionResult {
    let count = |count: &AnswerCount| pb::AnswerCount { answer: count.answer.clone(), count: count.count, weighted_count: count.weighted };
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
        weight: result.weight,
        importance: result.importance,
    }
}

pub(super) fn results(view: &WaveView, figures: &WaveFigures, terms: &Terms, now: jiff::Timestamp) -> pb::WaveResults {
    let numbers = &view.numbers;
    let response_rate = pb::Figure {
        metric_id: "response_rate".to_owned(),
        method: "valid_by_invited".to_owned(),
        has_data: numbers.invited > 0,
        n: numbers.invited,
        value: rate(numbers.valid, numbers.invited),
        weighted_value: rate(numbers.valid, numbers.invited),
        is_small_sample: numbers.invited < SMALL_SAMPLE,
        ..Default::default()
    };
    pb::WaveResults {
        wave_id: view.wave.id.to_string(),
        questionnaire_version_id: view.wave.version_id.to_string(),
        numbers: Some(encode::numbers(numbers, view.wave.required)),
        response_rate: Some(response_rate),
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
    let moved = |(before, after): (&Shown, &Shown)| {
        // What must not be shown must not be told by a difference either.
        let told = !before.is_suppressed && !after.is_suppressed && before.n > 0 && after.n > 0;
        let (difference_points, low, high) = if told { difference(before, after) } else { (0.0, 0.0, 0.0) };
        pb::FigureDifference {
            baseline: Some(figure(before)),
            current: Some(figure(after)),
            difference_points,
            low,
            high,
            is_significant: told && (low > 0.0 || high < 0.0),
        }
    };
    pb::WaveComparison {
        baseline_wave_id: compared.baseline.id.to_string(),
        wave_id: compared.wave.id.to_string(),
        differences: pairs.into_iter().map(moved).collect(),
    }
}

/// What residents are shown; `None` of a wave that shows nothing.
pub(super) fn page(wave: &Wave) -> Option<pb::ResultPage> {
    let page = wave.page.as_ref()?;
    let figure = |shown: &PageFigure| pb::Figure {
        metric_id: shown.metric.clone(),
        method: shown.method.clone(),
        has_data: shown.n > 0,
        is_suppressed: shown.is_suppressed,
        is_small_sample: shown.n < SMALL_SAMPLE,
        n: shown.n,
        value: shown.value,
        weighted_value: shown.weighted_value,
        low: shown.interval.0,
        high: shown.interval.1,
        confidence: if shown.interval == (0.0, 0.0) { 0.0 } else { CONFIDENCE },
    };
    Some(pb::ResultPage {
        wave_id: wave.id.to_string(),
        estate_id: wave.estate_id.to_string(),
        name: wave.name.clone(),
        statement: page.summary.clone(),
        publish_time: Some(to_timestamp(page.publish_time)),
        n: page.n,
        response_rate: page.response_rate,
        figures: page.figures.iter().map(figure).collect(),
    })
}
