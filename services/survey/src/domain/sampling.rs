//! Who is drawn (SV-02, SV-37, SV-38). A draw can be made again by anybody: households are put into the order of
//! SHA-256(seed, 8 bytes big endian, then the 16 bytes of the household's id), and taken from the front.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::codes::{Allocation, Method};

/// One, in millionths.
pub const WEIGHT_ONE: i64 = 1_000_000;
/// One, in the thousandths of a factor.
const FACTOR_ONE: u64 = 1_000;

/// How households are drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampling {
    /// How.
    pub method: Method,
    /// Seed of the draw.
    pub seed: u64,
    /// Households to draw; 0 for a census and for quotas.
    pub size: u32,
    /// Facts that make the strata.
    pub strata_fields: Vec<String>,
    /// How the size is split.
    pub allocation: Allocation,
    /// Valid answers wanted, by cell.
    pub quotas: Vec<Quota>,
    /// Strata that are drawn more often.
    pub oversampling: Vec<Oversampling>,
}

/// How many valid answers are wanted of a stratum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The stratum.
    pub stratum: String,
    /// Valid answers.
    pub target: u32,
}

/// A stratum that is drawn more often than its share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oversampling {
    /// The stratum.
    pub stratum: String,
    /// How much more often, in thousandths.
    pub factor: u32,
}

/// A draw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draw {
    /// Places of the candidates in the frame, in the order in which they are taken; those left over are the reserve.
    pub order: Vec<usize>,
    /// How many are taken of each group.
    pub targets: BTreeMap<String, u32>,
    /// Weight of an answer of each stratum, in millionths; one where it is not named.
    pub weights: BTreeMap<String, i64>,
}

/// What refuses a design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamplingFault {
    /// Path in the sampling: `quotas[1].target`.
    pub place: String,
    /// What is wrong, as a code.
    pub code: &'static str,
    /// The same in words.
    pub description: String,
}

impl Sampling {
    /// What contradicts itself before any frame is known.
    pub fn faults(&self) -> Vec<SamplingFault> {
        let mut faults = Vec::new();
        let mut add =
            |place: String, code, description: &str| faults.push(SamplingFault { place, code, description: description.to_owned() });
        match self.method {
            Method::Census if self.size != 0 || !self.quotas.is_empty() => {
                add("size".to_owned(), "census_has_size", "a census asks everybody")
            }
            Method::SimpleRandom | Method::Stratified if self.size == 0 => {
                add("size".to_owned(), "size_missing", "must say how many to draw")
            }
            Method::Quota if self.quotas.is_empty() => add("quotas".to_owned(), "quotas_missing", "must name the cells"),
            Method::Census | Method::SimpleRandom | Method::Stratified | Method::Quota => {}
        }
        if matches!(self.method, Method::Stratified | Method::Quota) && self.strata_fields.is_empty() {
            add("strata_fields".to_owned(), "strata_missing", "must say what makes the strata");
        }
        if self.method != Method::Quota && !self.quotas.is_empty() {
            add("quotas".to_owned(), "quotas_unsuited", "are for quota samples");
        }
        if self.method != Method::Stratified && !self.oversampling.is_empty() {
            add("oversampling".to_owned(), "oversampling_unsuited", "is for stratified samples");
        }
        for (at, quota) in self.quotas.iter().enumerate() {
            if self.quotas[..at].iter().any(|other| other.stratum == quota.stratum) {
                add(format!("quotas[{at}].stratum"), "stratum_twice", "stands twice");
            }
        }
        faults
    }

    /// The group that a household of a stratum is counted in.
    pub fn group<'a>(&self, stratum: &'a str) -> &'a str {
        match self.method {
            Method::Census | Method::SimpleRandom => "",
            Method::Stratified | Method::Quota => stratum,
        }
    }

    /// Draws from a frame of households and their strata, in any order.
    ///
    /// # Errors
    /// An empty frame, a stratum that is not in it, a quota larger than its frame; each with its place.
    pub fn draw(&self, frame: &[(Uuid, String)]) -> Result<Draw, SamplingFault> {
        let fault = |place: String, code, description: String| Err(SamplingFault { place, code, description });
        if frame.is_empty() {
            return fault("frame".to_owned(), "frame_empty", "nobody may be asked".to_owned());
        }
        let mut sizes: BTreeMap<&str, u32> = BTreeMap::new();
        for (_, stratum) in frame {
            *sizes.entry(self.group(stratum)).or_default() += 1;
        }
        let mut order: Vec<usize> = (0..frame.len()).collect();
        order.sort_by_cached_key(|at| self.place_of(frame[*at].0));
        let mut draw = Draw { order, ..Draw::default() };
        match self.method {
            Method::Census => drop(draw.targets.insert(String::new(), sizes[""])),
            Method::SimpleRandom => drop(draw.targets.insert(String::new(), self.size.min(sizes[""]))),
            Method::Stratified => {
                for (at, over) in self.oversampling.iter().enumerate() {
                    if !sizes.contains_key(over.stratum.as_str()) {
                        return fault(format!("oversampling[{at}].stratum"), "stratum_unknown", "the frame has no such stratum".to_owned());
                    }
                }
                draw.targets = self.allocate(&sizes);
                draw.weights = self.weights(&sizes, &draw.targets);
            }
            Method::Quota => {
                for (at, quota) in self.quotas.iter().enumerate() {
                    let there = sizes.get(quota.stratum.as_str()).copied().unwrap_or_default();
                    if quota.target > there {
                        let description = format!("{} answers are wanted of {there} households", quota.target);
                        return fault(format!("quotas[{at}].target"), "quota_larger_than_frame", description);
                    }
                    draw.targets.insert(quota.stratum.clone(), there);
                }
                draw.order.retain(|at| draw.targets.contains_key(&frame[*at].1));
            }
        }
        Ok(draw)
    }

    fn place_of(&self, household: Uuid) -> [u8; 32] {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.seed.to_be_bytes());
        bytes[8..].copy_from_slice(household.as_bytes());
        let mut place = [0; 32];
        place.copy_from_slice(digest::digest(&digest::SHA256, &bytes).as_ref());
        place
    }

    fn factor(&self, stratum: &str) -> u64 {
        self.oversampling.iter().find(|over| over.stratum == stratum).map_or(FACTOR_ONE, |over| over.factor.into())
    }

    /// The size split over strata by the largest remainder; what a small stratum cannot give goes to the others.
    fn allocate(&self, sizes: &BTreeMap<&str, u32>) -> BTreeMap<String, u32> {
        let claim = |stratum: &str, size: u32| match self.allocation {
            Allocation::Proportional => u64::from(size) * self.factor(stratum),
            Allocation::Equal => self.factor(stratum),
        };
        let mut given: BTreeMap<String, u32> = sizes.keys().map(|stratum| ((*stratum).to_owned(), 0)).collect();
        let mut left = u64::from(self.size).min(sizes.values().map(|size| u64::from(*size)).sum());
        while left > 0 {
            let open: Vec<(&str, u32, u64)> = sizes
                .iter()
                .filter(|(stratum, size)| given.get(**stratum).is_some_and(|taken| taken < size))
                .map(|(stratum, size)| (*stratum, *size, claim(stratum, *size)))
                .collect();
            let claims: u64 = open.iter().map(|(.., claim)| claim).sum();
            if claims == 0 {
                break;
            }
            let mut shares: Vec<(u64, &str, u64)> = open
                .iter()
                .map(|(stratum, size, claim)| {
                    let room = u64::from(*size - given.get(*stratum).copied().unwrap_or_default());
                    (left * claim % claims, *stratum, (left * claim / claims).min(room))
                })
                .collect();
            let mut round: u64 = shares.iter().map(|(.., whole)| whole).sum();
            // Largest remainder first; of equal ones the stratum that comes first.
            shares.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
            for share in &mut shares {
                let room = u64::from(sizes[share.1] - given.get(share.1).copied().unwrap_or_default());
                if round < left && share.2 < room && share.0 > 0 {
                    share.2 += 1;
                    round += 1;
                }
            }
            if round == 0 {
                // Nothing but whole shares of nothing is left: give one each, in order.
                for share in shares.iter_mut().take(usize::try_from(left).unwrap_or(usize::MAX)) {
                    share.2 = 1;
                    round += 1;
                }
            }
            for (_, stratum, whole) in shares {
                *given.entry(stratum.to_owned()).or_default() += u32::try_from(whole).unwrap_or(u32::MAX);
            }
            left -= round.min(left);
        }
        given
    }

    /// What one answer of each stratum stands for: over-sampling, equal allocation and strata that were too small for their share
    /// are undone by it (SV-38). A stratum drawn by its share weighs one; the others by how much rarer or more often theirs were
    /// drawn. Exact to the millionth.
    fn weights(&self, sizes: &BTreeMap<&str, u32>, drawn: &BTreeMap<String, u32>) -> BTreeMap<String, i64> {
        let of = |stratum: &str| u128::from(drawn.get(stratum).copied().unwrap_or_default());
        let plain = |stratum: &&str| self.allocation == Allocation::Proportional && self.factor(stratum) == FACTOR_ONE;
        // What "by its share" is: the strata that nothing was done to, or all of them where something was done to each.
        let any_plain = sizes.keys().any(&plain);
        let counted = || sizes.iter().filter(|(stratum, _)| !any_plain || plain(stratum));
        let (households, answers) =
            counted().fold((0, 0), |sum: (u128, u128), (stratum, size)| (sum.0 + u128::from(*size), sum.1 + of(stratum)));
        let weight = |stratum: &str, size: u32| {
            let under = of(stratum) * households;
            if under == 0 {
                return WEIGHT_ONE;
            }
            let over = u128::from(WEIGHT_ONE.unsigned_abs()) * u128::from(size) * answers;
            i64::try_from((over * 2 + under) / (under * 2)).unwrap_or(WEIGHT_ONE).max(1)
        };
        sizes.iter().map(|(stratum, size)| ((*stratum).to_owned(), weight(stratum, *size))).collect()
    }
}
