//! How answers become satisfied people and points. A plan may have a scale of its own; those of five and ten have the levels and
//! points of the formulas (F-01, F-02). Of another scale answers are counted, and make no rate and no score.

use steward_kit::metric::{Definition, LoyaltyMethod, SatisfiedLevels, Scale, ScoreMap};

/// What a plan, a policy or an instrument says about answers.
#[derive(Clone, Debug)]
pub struct Yardstick {
    /// Satisfied answers of the plan's own scale; empty for the best ones.
    pub satisfied: Vec<u32>,
    /// The middle answer counts too.
    pub include_neutral: bool,
    /// Points of the answers from 1 up, of scales as long as each map; the first that fits decides.
    pub score_maps: Vec<Vec<u32>>,
    /// Points of five where no map fits.
    pub five: ScoreMap,
    /// How loyalty is defined.
    pub loyalty: LoyaltyMethod,
}

impl Default for Yardstick {
    fn default() -> Self {
        Self {
            satisfied: Vec::new(),
            include_neutral: false,
            score_maps: Vec::new(),
            five: ScoreMap::TWENTIES,
            loyalty: LoyaltyMethod::Composite,
        }
    }
}

/// The scales that the formulas speak of.
fn scale_of(max: u32) -> Option<Scale> {
    match max {
        5 => Some(Scale::Five),
        10 => Some(Scale::Ten),
        _ => None,
    }
}

impl Yardstick {
    /// What a definition says.
    pub fn of(definition: &Definition) -> Self {
        let parameters = &definition.parameters;
        Self {
            satisfied: parameters.satisfied_levels.clone(),
            include_neutral: parameters.include_neutral,
            score_maps: Some(parameters.score_map.clone()).filter(|map| !map.is_empty()).into_iter().collect(),
            five: if definition.method == "linear_0_100" { ScoreMap::LINEAR } else { ScoreMap::TWENTIES },
            loyalty: match definition.method {
                "recommend_only" => LoyaltyMethod::RecommendOnly,
                "mean_of_three" => LoyaltyMethod::MeanOfThree,
                _ => LoyaltyMethod::Composite,
            },
        }
    }

    /// The highest answer of the scale that satisfied answers are named for.
    fn own_max(&self) -> u32 {
        let of_map = self.score_maps.last().and_then(|map| u32::try_from(map.len()).ok());
        of_map.unwrap_or(if self.satisfied.iter().any(|level| *level > 5) { 10 } else { 5 })
    }

    /// Which answers of a scale count as satisfied; `None` for a scale that nobody speaks of.
    pub fn satisfied_of(&self, max: u32) -> Option<Vec<u32>> {
        let named: &[u32] = if max == self.own_max() { &self.satisfied } else { &[] };
        match scale_of(max) {
            Some(scale) => {
                let levels = SatisfiedLevels::of(scale, named, self.include_neutral);
                Some((0..=max).filter(|level| levels.has(*level)).collect())
            }
            None if named.is_empty() => None,
            None => {
                let middle = max.div_ceil(2);
                Some((0..=max).filter(|level| named.contains(level) || self.include_neutral && *level == middle).collect())
            }
        }
    }

    fn map_of(&self, max: u32) -> Option<&Vec<u32>> {
        self.score_maps.iter().find(|map| u32::try_from(map.len()).is_ok_and(|length| length == max))
    }

    /// Points of an answer; `None` for a scale that nobody speaks of.
    pub fn points_of(&self, max: u32, level: u32) -> Option<u32> {
        if let Some(map) = self.map_of(max) {
            return level.checked_sub(1).and_then(|at| map.get(usize::try_from(at).ok()?)).copied().or(Some(0));
        }
        u32::try_from(self.five.points(scale_of(max)?, level)).ok()
    }

    /// Which answers were satisfied, as results name it: `satisfied_4_5_of_5` (SV-44).
    pub fn name_of_levels(&self, max: u32) -> String {
        let levels: Vec<String> = self.satisfied_of(max).unwrap_or_default().iter().map(u32::to_string).collect();
        format!("satisfied_{}_of_{max}", levels.join("_"))
    }

    /// How points were given, as results name it: `map_20_40_60_80_100` (SV-44).
    pub fn name_of_points(&self, max: u32) -> String {
        let points: Vec<String> = match (self.map_of(max), scale_of(max)) {
            (Some(map), _) => map.iter().map(u32::to_string).collect(),
            (None, Some(Scale::Five)) => self.five.0.iter().map(u32::to_string).collect(),
            (None, Some(Scale::Ten) | None) => return format!("even_to_100_of_{max}"),
        };
        format!("map_{}", points.join("_"))
    }
}
