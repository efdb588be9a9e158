//! Categories that stand out in an estate or in one of its buildings (WO-57): by their share of all cases, or by how far that share lies
//! above the usual one. Whole numbers throughout; a standard deviation is rounded down to thousandths.

use std::collections::{BTreeMap, BTreeSet};

use steward_kit::metric::Tally;

use super::cells::{CaseKey, cells_of};
use crate::domain::case::{Kind, is_at_or_below};
use crate::domain::policy::Policies;

const MILLION: i128 = 1_000_000;

/// When a category stands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotspotRule {
    /// Code.
    pub code: String,
    /// Kinds; none means every kind.
    pub kinds: Vec<Kind>,
    /// Local days that are looked at; they end yesterday.
    pub window_days: u32,
    /// Local days before those, for what is usual; 0 compares with nothing.
    pub usual_days: u32,
    /// From how many cases on.
    pub min_cases: u32,
    /// From which share on, as numerator and denominator; `None` means that no share alone is enough.
    pub min_share: Option<(u32, u32)>,
    /// From how many standard deviations above the usual share on, in thousandths; 0 means that none is enough.
    pub min_z_score_milli: u32,
    /// Roles told of a new one.
    pub notify_roles: Vec<String>,
}

/// A category that stands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hotspot {
    /// The category, with what is below it.
    pub category: String,
    /// Code of the building; empty for the whole estate.
    pub building: String,
    /// Cases of it.
    pub cases: i64,
    /// Cases of every category.
    pub all_cases: i64,
    /// Its share before, in parts per million.
    pub usual_share_ppm: Option<i64>,
    /// Standard deviations above that share, in thousandths.
    pub z_score_milli: Option<i64>,
    /// Cases of it after the time before, in thousandths.
    pub usual_cases_milli: Option<i64>,
}

impl Hotspot {
    /// Its share in parts per million, rounded down.
    pub fn share_ppm(&self) -> i64 {
        ppm(self.cases, self.all_cases)
    }
}

impl Policies {
    /// The rules in force: the most specific of each code.
    pub fn hotspot_rules(&self) -> Vec<&HotspotRule> {
        let mut by_code = BTreeMap::new();
        for rule in self.intake.iter().flat_map(|layer| &layer.document.hotspots) {
            by_code.entry(rule.code.as_str()).or_insert(rule);
        }
        by_code.into_values().collect()
    }

    /// Roles told that a month's callback report is ready: those of the first layer that names any.
    pub fn report_roles(&self) -> &[String] {
        self.callback.iter().map(|layer| layer.document.report_roles.as_slice()).find(|roles| !roles.is_empty()).unwrap_or_default()
    }
}

/// Cases of an area: of every category, and of each branch of the tree.
#[derive(Default)]
struct Area {
    all: i64,
    by_branch: BTreeMap<String, i64>,
}

/// What stands out in the cells of the window, compared with those of the time before; the greatest share first. A branch whose cases
/// all lie in one of its leaves is told by the leaf alone.
pub fn hotspots(rule: &HotspotRule, window: &Tally, before: Option<&Tally>) -> Vec<Hotspot> {
    let (now, usual) = (areas(rule, window), before.map(|tally| areas(rule, tally)).unwrap_or_default());
    let mut found = Vec::new();
    for (building, area) in &now {
        let usual = usual.get(building);
        let stand_out: Vec<Hotspot> =
            area.by_branch.iter().filter_map(|(category, cases)| judged(rule, building, category, *cases, area, usual)).collect();
        let told: BTreeSet<(String, i64)> = stand_out.iter().map(|spot| (spot.category.clone(), spot.cases)).collect();
        let is_in_leaf = |spot: &Hotspot| {
            told.iter().any(|(category, cases)| {
                *cases == spot.cases && category.len() > spot.category.len() && is_at_or_below(category, &spot.category)
            })
        };
        found.extend(stand_out.into_iter().filter(|spot| !is_in_leaf(spot)));
    }
    found.sort_by(|a, b| b.share_ppm().cmp(&a.share_ppm()).then_with(|| (&a.building, &a.category).cmp(&(&b.building, &b.category))));
    found
}

fn areas(rule: &HotspotRule, tally: &Tally) -> BTreeMap<String, Area> {
    let mut areas: BTreeMap<String, Area> = BTreeMap::new();
    let wanted = |key: &CaseKey| rule.kinds.is_empty() || rule.kinds.contains(&key.kind);
    for (key, cases) in cells_of(tally).filter(|(key, _)| wanted(key)) {
        let whole = Some(String::new());
        let building = Some(key.building.clone()).filter(|building| !building.is_empty());
        for place in whole.into_iter().chain(building) {
            let area = areas.entry(place).or_default();
            area.all += cases;
            for branch in branches(&key.category) {
                *area.by_branch.entry(branch.to_owned()).or_default() += cases;
            }
        }
    }
    areas
}

/// `a.b.c` lies in `a`, in `a.b` and in itself; what is not classified lies nowhere.
fn branches(category: &str) -> impl Iterator<Item = &str> {
    let ends = category.match_indices('.').map(|(at, _)| at).chain((!category.is_empty()).then_some(category.len()));
    ends.map(|end| &category[..end])
}

fn judged(rule: &HotspotRule, building: &str, category: &str, cases: i64, area: &Area, usual: Option<&Area>) -> Option<Hotspot> {
    if cases < i64::from(rule.min_cases) {
        return None;
    }
    let before = usual.map(|usual| (usual.by_branch.get(category).copied().unwrap_or_default(), usual.all)).filter(|(_, all)| *all > 0);
    let z_score_milli = before.and_then(|before| z_score_milli((cases, area.all), before));
    let by_share = rule.min_share.is_some_and(|(numerator, denominator)| {
        i128::from(cases) * i128::from(denominator) >= i128::from(area.all) * i128::from(numerator)
    });
    let by_score = rule.min_z_score_milli > 0 && z_score_milli.is_some_and(|score| score >= i64::from(rule.min_z_score_milli));
    (by_share || by_score).then(|| Hotspot {
        category: category.to_owned(),
        building: building.to_owned(),
        cases,
        all_cases: area.all,
        usual_share_ppm: before.map(|(of_it, all)| ppm(of_it, all)),
        z_score_milli,
        usual_cases_milli: before.map(|(of_it, _)| of_it * 1000 * i64::from(rule.window_days) / i64::from(rule.usual_days.max(1))),
    })
}

/// How many standard deviations a share lies above a usual one; `None` where the usual one is nothing or everything, because then no
/// deviation is known.
fn z_score_milli((cases, all): (i64, i64), (usual, usual_all): (i64, i64)) -> Option<i64> {
    if usual <= 0 || usual >= usual_all || all <= 0 {
        return None;
    }
    // (x − n·p) / sqrt(n·p·(1 − p)) with p = u / U; squared and scaled so that whole numbers carry it.
    let (x, n, u, all_usual) = (i128::from(cases), i128::from(all), i128::from(usual), i128::from(usual_all));
    let above = x * all_usual - n * u;
    let squared = above.checked_mul(above)?.checked_mul(MILLION)? / (n * u * (all_usual - u));
    let root = i64::try_from(u128::try_from(squared).ok()?.isqrt()).ok()?;
    Some(if above < 0 { -root } else { root })
}

fn ppm(part: i64, all: i64) -> i64 {
    if all <= 0 { 0 } else { i64::try_from(i128::from(part) * MILLION / i128::from(all)).unwrap_or(i64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::Channel;

    fn tally(cells: &[(&str, &str, i64)]) -> Tally {
        let key = |category: &str, building: &str| CaseKey {
            kind: Kind::Complaint,
            category: category.to_owned(),
            hour: 9,
            weekday: 1,
            channel: Channel::App,
            building: building.to_owned(),
        };
        Tally::default().with_cells(cells.iter().map(|(category, building, cases)| (key(category, building).write(), *cases)).collect())
    }

    fn rule() -> HotspotRule {
        HotspotRule {
            code: "frequent".to_owned(),
            kinds: Vec::new(),
            window_days: 30,
            usual_days: 90,
            min_cases: 5,
            min_share: Some((30, 100)),
            min_z_score_milli: 3000,
            notify_roles: Vec::new(),
        }
    }

    /// WO-57: from a share of 30 % on a category is a hot spot, of the estate and of a building by itself.
    #[test]
    fn a_share_of_three_in_ten_stands_out() {
        let window = tally(&[("utilities.power", "B1", 6), ("utilities.power", "B2", 6), ("cleaning", "B1", 20), ("parking", "B2", 8)]);
        let found = hotspots(&rule(), &window, None);
        let told: Vec<_> = found.iter().map(|spot| (spot.category.as_str(), spot.building.as_str(), spot.share_ppm())).collect();
        assert_eq!(
            told,
            [
                ("cleaning", "B1", 769_230),
                ("parking", "B2", 571_428),
                ("cleaning", "", 500_000),
                ("utilities.power", "B2", 428_571),
                ("utilities.power", "", 300_000),
            ],
            "29.9 % would not be there, and a branch with one leaf is told by its leaf"
        );
        let less = tally(&[("utilities.power", "", 299), ("cleaning", "", 401), ("parking", "", 300)]);
        assert!(hotspots(&rule(), &less, None).iter().all(|spot| spot.category != "utilities.power"));
    }

    /// WO-57: far above the usual share a category stands out, however small it is.
    #[test]
    fn what_is_far_above_the_usual_stands_out() {
        let before = tally(&[("lift", "", 10), ("cleaning", "", 990)]);
        let window = tally(&[("lift", "", 12), ("cleaning", "", 288)]);
        let rule = HotspotRule { min_share: None, ..rule() };
        let found = hotspots(&rule, &window, Some(&before));
        // 12 where 3 are usual: (12 − 3) / sqrt(300 · 0.01 · 0.99) = 5.222
        let [spot] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((spot.category.as_str(), spot.z_score_milli, spot.usual_share_ppm), ("lift", Some(5222), Some(10_000)));
        assert_eq!(spot.usual_cases_milli, Some(3333));
        let few = tally(&[("lift", "", 4), ("cleaning", "", 1)]);
        assert!(hotspots(&rule, &few, Some(&before)).is_empty(), "four cases say nothing");
    }
}
