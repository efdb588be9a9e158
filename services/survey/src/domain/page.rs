//! What residents are shown of a wave (SV-31): the figures as they were at publication, exactly.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::results::{Fraction, Shown};

/// What residents are shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultPage {
    /// What the estate says of it.
    pub summary: String,
    /// When it was published.
    pub publish_time: Timestamp,
    /// Valid responses.
    pub n: i64,
    /// Valid responses by invitations.
    pub response_rate: Fraction,
    /// The figures, as they were then.
    pub figures: Vec<PageFigure>,
}

/// A figure on a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageFigure {
    /// Which.
    pub metric: String,
    /// Its method.
    pub method: String,
    /// Responses behind it.
    pub n: i64,
    /// Its value.
    pub value: Fraction,
    /// The same with design weights.
    pub weighted_value: Fraction,
    /// Its interval; `None` when it has none.
    pub interval: Option<(f64, f64)>,
    /// It was suppressed.
    pub is_suppressed: bool,
}

impl PageFigure {
    /// A figure as it stands now.
    pub fn of(shown: &Shown) -> Self {
        Self {
            metric: shown.metric.to_owned(),
            method: shown.method.clone(),
            n: shown.n,
            value: Fraction::of(shown.plain),
            weighted_value: Fraction::of(shown.weighted),
            interval: shown.interval.map(|interval| (interval.low, interval.high)),
            is_suppressed: shown.is_suppressed,
        }
    }
}
