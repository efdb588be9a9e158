//! Who could have an order, in which order they come, and why not the others (WO-23). The list is written down as codes of the order's
//! history, under its hash, and read back from there.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::case::is_at_or_below;
use super::dispatch_policy::{DispatchMode, DispatchTerms, DistanceClass};
use super::roster::{Bar, Candidate, Lines, bars};
use super::work_order::WorkOrder;

/// Why somebody is left out to whom the order was offered in this cycle.
const ASKED_BEFORE: &str = "ASKED_BEFORE";

/// The roster of the order's estate at a moment.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// All of it.
    pub candidates: Vec<Candidate>,
    /// Who reports to whom.
    pub lines: Lines,
    /// Who was the last to be accountable for an order of the same unit.
    pub last_visitor: Option<String>,
}

impl Roster {
    /// The roster of an estate, with the last visitor of an order's unit.
    pub fn new(candidates: Vec<Candidate>, last_visitor: Option<String>) -> Self {
        let above = candidates.iter().filter_map(|one| Some((one.worker.principal.clone(), one.worker.line_manager.clone()?)));
        Self { lines: Lines::new(above), candidates, last_visitor }
    }
}

/// The parts of a score, each 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Score {
    /// The weighted mean of the others.
    pub total: u32,
    /// How exactly a skill is that of the category.
    pub skill: u32,
    /// How much of the limit is free.
    pub load: u32,
    /// How near.
    pub distance: u32,
    /// The last visitor of the unit.
    pub last_visitor: u32,
}

/// Somebody who could have the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Staff subject.
    pub principal: String,
    /// How well they suit it.
    pub score: Score,
    /// When they last became accountable for an order of the estate.
    pub waits_since: Option<Timestamp>,
}

/// Who could have the order, and who not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DispatchList {
    /// In the order in which they come.
    pub ranked: Vec<Ranked>,
    /// The others, each with every reason, as `ErrorReason` names them.
    pub excluded: BTreeMap<String, Vec<String>>,
}

/// Compares everybody of the roster.
pub fn rank(order: &WorkOrder, roster: &Roster, terms: &DispatchTerms, now: Timestamp) -> DispatchList {
    let mut list = DispatchList::default();
    for candidate in &roster.candidates {
        let principal = &candidate.worker.principal;
        let mut reasons: Vec<String> = bars(order, candidate, &roster.lines, now).into_iter().map(|bar| bar.reason().to_owned()).collect();
        if order.dispatch.was_asked(principal) {
            reasons.push(ASKED_BEFORE.to_owned());
        }
        if reasons.is_empty() {
            let score = score(order, candidate, roster, terms);
            list.ranked.push(Ranked { principal: principal.clone(), score, waits_since: candidate.take_time });
        } else {
            list.excluded.insert(principal.clone(), reasons);
        }
    }
    // Whoever never had one has waited longest.
    let by_wait = |one: &Ranked| (one.waits_since, one.principal.clone());
    match terms.mode {
        DispatchMode::Rotation => list.ranked.sort_by_key(by_wait),
        DispatchMode::Offer | DispatchMode::Grab | DispatchMode::Manual => {
            list.ranked.sort_by_key(|one| (Reverse(one.score.total), by_wait(one)));
        }
    }
    list
}

fn score(order: &WorkOrder, candidate: &Candidate, roster: &Roster, terms: &DispatchTerms) -> Score {
    let worker = &candidate.worker;
    let skill = worker.skills.iter().map(|skill| exactness(&order.category, skill)).max().unwrap_or(0);
    let free = worker.open_limit.saturating_sub(candidate.open);
    let load = (100 * free).checked_div(worker.open_limit).unwrap_or(0);
    let class = |class: &&DistanceClass| class.code == worker.distance_class;
    let distance = terms.distance_classes.iter().find(class).map_or(0, |class| class.points);
    let last_visitor = if roster.last_visitor.as_ref() == Some(&worker.principal) { 100 } else { 0 };
    let weights = terms.weights;
    let sum = weights.skill * skill + weights.load * load + weights.distance * distance + weights.last_visitor * last_visitor;
    Score { total: sum.checked_div(weights.sum()).unwrap_or(0), skill, load, distance, last_visitor }
}

/// 100 for the category itself, less for a branch above it: by how much of the code is named.
fn exactness(category: &str, skill: &str) -> u32 {
    let parts = |code: &str| u32::try_from(code.split('.').count()).unwrap_or(1);
    if is_at_or_below(category, skill) { 100 * parts(skill) / parts(category) } else { 0 }
}

impl DispatchList {
    /// Whether it is for want of somebody on shift that nobody is left.
    pub fn is_nobody_on_shift(&self) -> bool {
        self.ranked.is_empty() && self.excluded.values().all(|reasons| reasons.iter().any(|reason| reason == Bar::OffShift.reason()))
    }

    /// As codes of the history.
    pub(super) fn detail(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let ranked = (1_u32..).zip(&self.ranked).map(|(place, one)| {
            let Score { total, skill, load, distance, last_visitor } = one.score;
            let since = one.waits_since.map_or_else(|| "-".to_owned(), |since| since.to_string());
            (format!("candidate/{}", one.principal), format!("{place} {total} {skill} {load} {distance} {last_visitor} {since}"))
        });
        let excluded = self.excluded.iter().map(|(principal, reasons)| (format!("excluded/{principal}"), reasons.join(",")));
        ranked.chain(excluded)
    }

    /// The list that a line of the history holds.
    pub fn of_detail(detail: &BTreeMap<String, String>) -> Self {
        let mut ranked: Vec<(u32, Ranked)> = detail
            .iter()
            .filter_map(|(key, value)| {
                let principal = key.strip_prefix("candidate/")?.to_owned();
                let mut parts = value.split(' ');
                let mut number = || parts.next()?.parse::<u32>().ok();
                let place = number()?;
                let score = Score { total: number()?, skill: number()?, load: number()?, distance: number()?, last_visitor: number()? };
                let waits_since = parts.next().and_then(|since| since.parse().ok());
                Some((place, Ranked { principal, score, waits_since }))
            })
            .collect();
        ranked.sort_by_key(|(place, _)| *place);
        let reasons = |text: &String| text.split(',').map(ToOwned::to_owned).collect();
        let excluded = detail.iter().filter_map(|(key, text)| Some((key.strip_prefix("excluded/")?.to_owned(), reasons(text)))).collect();
        Self { ranked: ranked.into_iter().map(|(_, one)| one).collect(), excluded }
    }
}
