//! What a wave found (SV-31, SV-40, SV-43, SV-44): the figures of [`super::figures`] over one wave, each with its method, and
//! without the cells that are too small to be shown.

mod dimensions;
mod questions;
mod shown;

use super::codes::Role;
use super::figures::{Answered, Tally, Yardstick};
use steward_kit::metric::{Figure, LoyaltyMethod};

pub use dimensions::DimensionResult;
pub use questions::{AnswerCount, QuestionResult};
pub use shown::{Difference, Fraction, Shown};

/// The rules that a wave's results go by.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
    /// How answers become figures.
    pub yardstick: &'a Yardstick,
    /// Eligible households, for the finite population correction.
    pub population: Option<i64>,
    /// Invitations.
    pub invited: i64,
    /// Cells with fewer are not shown.
    pub suppress_below: u32,
}

/// All figures of a wave.
#[derive(Clone, Debug, PartialEq)]
pub struct WaveFigures {
    /// Valid responses by invitations (SV-52).
    pub response_rate: Shown,
    /// By question.
    pub questions: Vec<QuestionResult>,
    /// By dimension.
    pub dimensions: Vec<DimensionResult>,
    /// F-01.
    pub csat_rate: Shown,
    /// F-02.
    pub csat_score: Shown,
    /// F-02b.
    pub csat_index: Shown,
    /// F-03.
    pub nps: Shown,
    /// F-04.
    pub loyalty_rate: Shown,
    /// F-05b.
    pub complaint_rate: Shown,
    /// F-06b.
    pub complaint_timely_rate: Shown,
    /// SV-26.
    pub suggestion_count: Shown,
}

/// Computes the figures of a wave from its valid responses.
pub fn figures_of(rules: &Rules<'_>, answered: &Answered) -> WaveFigures {
    let (yardstick, instrument) = (rules.yardstick, answered.instrument.as_ref());
    let tally = Tally { yardstick, waves: vec![answered.asked()], population: rules.population };
    let shown = |metric, method: String, figure: Figure| Shown::of(metric, method, &figure, rules.suppress_below);
    let max = instrument.with_role(Role::Overall).and_then(|question| question.kind.scale_max()).unwrap_or_default();
    let loyalty = match yardstick.loyalty {
        LoyaltyMethod::Composite => "composite",
        LoyaltyMethod::RecommendOnly => "recommend_only",
        LoyaltyMethod::MeanOfThree => "mean_of_three",
    };
    let dimensions = dimensions::of(rules, &tally);
    let mut csat_index = shown("csat_index", "weighted_dimensions".to_owned(), tally.index());
    if dimensions.iter().any(|dimension| dimension.is_top && dimension.score.is_suppressed) {
        // Of an index and all dimensions but one the last can be computed.
        csat_index = csat_index.hidden();
    }
    let valid = i64::try_from(answered.rows.len()).unwrap_or(i64::MAX);
    let response_rate = Figure::rate(valid, rules.invited).within(None);
    WaveFigures {
        response_rate: Shown::of("response_rate", "valid_by_invited".to_owned(), &response_rate, 0),
        questions: questions::of(rules, answered, &tally),
        dimensions,
        csat_rate: shown("csat_rate", yardstick.name_of_levels(max), tally.csat_rate()),
        csat_score: shown("csat_score", yardstick.name_of_points(max), tally.csat_score()),
        csat_index,
        nps: shown("nps", "promoters_minus_detractors".to_owned(), tally.nps()),
        loyalty_rate: shown("loyalty_rate", loyalty.to_owned(), tally.loyalty()),
        complaint_rate: shown("complaint_rate", "survey".to_owned(), tally.said(Role::Complained)),
        complaint_timely_rate: shown("complaint_timely_rate", "survey".to_owned(), tally.said(Role::ComplaintTimely)),
        // A count of texts gives nobody away.
        suggestion_count: Shown::of("suggestion_count", "texts".to_owned(), &tally.suggestions(), 0),
    }
}

/// The figures that go onto a page: those with data, each with n, method and interval.
pub fn publishable(figures: &WaveFigures) -> Vec<&Shown> {
    let all = [
        &figures.csat_rate,
        &figures.csat_score,
        &figures.csat_index,
        &figures.nps,
        &figures.loyalty_rate,
        &figures.complaint_rate,
        &figures.complaint_timely_rate,
    ];
    all.into_iter().filter(|figure| figure.n > 0).collect()
}
