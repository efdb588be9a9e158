//! SV-02, SV-36 to SV-38: a draw that anybody can make again.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest;
use proptest::prelude::*;
use uuid::Uuid;

use super::build::{frame, quota, sampling};
use crate::domain::codes::{Allocation, Method};
use crate::domain::{Draw, Oversampling, Sampling, WEIGHT_ONE};

/// The households that are asked: the first of each group, in order, up to its target.
fn taken(design: &Sampling, frame: &[(Uuid, String)], draw: &Draw) -> Vec<Uuid> {
    let mut left = draw.targets.clone();
    let mut taken = Vec::new();
    for at in &draw.order {
        let (household, stratum) = &frame[*at];
        let group = left.entry(design.group(stratum).to_owned()).or_default();
        if *group > 0 {
            *group -= 1;
            taken.push(*household);
        }
    }
    taken
}

/// SV-37: the algorithm is three lines in any language; here they are once more, written apart from the product.
#[test]
fn an_auditor_replays_the_draw() {
    let frame = frame(&[("1", 40)]);
    let design = sampling(Method::SimpleRandom, 7);
    let mut by_hash: Vec<(Vec<u8>, Uuid)> = frame
        .iter()
        .map(|(id, _)| (digest::digest(&digest::SHA256, &[&design.seed.to_be_bytes()[..], id.as_bytes()].concat()).as_ref().to_vec(), *id))
        .collect();
    by_hash.sort();
    let expected: Vec<Uuid> = by_hash.into_iter().take(7).map(|(_, id)| id).collect();
    assert_eq!(taken(&design, &frame, &design.draw(&frame).unwrap()), expected);
}

/// SV-02
#[test]
fn a_census_asks_everybody_once() {
    let frame = frame(&[("1", 900), ("2", 900)]);
    let design = sampling(Method::Census, 0);
    let asked: BTreeSet<Uuid> = taken(&design, &frame, &design.draw(&frame).unwrap()).into_iter().collect();
    assert_eq!(asked.len(), 1800);
}

/// SV-38: complainers drawn twice as often weigh half.
#[test]
fn oversampling_is_undone_by_weights() {
    let frame = frame(&[("complained", 100), ("quiet", 900)]);
    let oversampling = vec![Oversampling { stratum: "complained".to_owned(), factor: 2_000 }];
    let design = Sampling { oversampling, ..sampling(Method::Stratified, 110) };
    let draw = design.draw(&frame).unwrap();
    assert_eq!(draw.targets, BTreeMap::from([("complained".to_owned(), 20), ("quiet".to_owned(), 90)]));
    assert_eq!(draw.weights, BTreeMap::from([("complained".to_owned(), WEIGHT_ONE / 2), ("quiet".to_owned(), WEIGHT_ONE)]));
}

/// SV-37, SV-38: a stratum too small for its equal share gives all it has; the weights are those of what was drawn.
#[test]
fn a_small_stratum_is_drawn_whole_and_weighs_what_it_is() {
    let frame = frame(&[("small", 10), ("large", 1000)]);
    let design = Sampling { allocation: Allocation::Equal, ..sampling(Method::Stratified, 200) };
    let draw = design.draw(&frame).unwrap();
    assert_eq!(draw.targets, BTreeMap::from([("large".to_owned(), 190), ("small".to_owned(), 10)]));
    let sum: i128 = draw.weights.iter().map(|(stratum, weight)| i128::from(*weight) * i128::from(draw.targets[stratum])).sum();
    assert!((sum - 200 * i128::from(WEIGHT_ONE)).abs() <= 200, "weights sum to the answers: {sum}");
    let share = i128::from(draw.weights["small"]) * 10 * 1_000_000 / sum;
    assert!((share - 10 * 1_000_000 / 1010).abs() <= 10, "the small stratum counts as its share of households: {share}");
}

/// A quota larger than its frame is refused with its place; so is a stratum that is not there.
#[test]
fn a_design_that_its_frame_cannot_bear_is_refused_with_its_place() {
    let households = frame(&[("1", 10), ("2", 5)]);
    let place = |design: Sampling| design.draw(&households).map_err(|fault| (fault.place, fault.code)).unwrap_err();
    let quotas = Sampling { quotas: vec![quota("1", 10), quota("2", 6)], ..sampling(Method::Quota, 0) };
    assert_eq!(place(quotas), ("quotas[1].target".to_owned(), "quota_larger_than_frame"));
    let oversampling = vec![Oversampling { stratum: "3".to_owned(), factor: 2_000 }];
    let strange = Sampling { oversampling, ..sampling(Method::Stratified, 3) };
    assert_eq!(place(strange), ("oversampling[0].stratum".to_owned(), "stratum_unknown"));
    assert_eq!(sampling(Method::Census, 0).draw(&[]).map_err(|fault| fault.code), Err("frame_empty"));
}

#[test]
fn a_design_that_contradicts_itself_is_refused_before_any_frame() {
    let codes = |design: Sampling| design.faults().into_iter().map(|fault| fault.code).collect::<Vec<_>>();
    assert_eq!(codes(sampling(Method::Census, 5)), ["census_has_size"]);
    assert_eq!(codes(sampling(Method::SimpleRandom, 0)), ["size_missing"]);
    assert_eq!(codes(Sampling { strata_fields: Vec::new(), ..sampling(Method::Stratified, 5) }), ["strata_missing"]);
    assert_eq!(codes(sampling(Method::Quota, 0)), ["quotas_missing"]);
    assert_eq!(codes(Sampling { quotas: vec![quota("1", 1), quota("1", 2)], ..sampling(Method::Quota, 0) }), ["stratum_twice"]);
}

proptest! {
    /// SV-37: the same seed draws the same households whatever order the frame came in; another seed others.
    #[test]
    fn a_draw_does_not_depend_on_the_order_of_its_frame(rotate in 0_usize..200, size in 1_u32..60, seed in any::<u64>()) {
        let frame = frame(&[("1", 120), ("2", 80)]);
        let design = Sampling { seed, ..sampling(Method::Stratified, size) };
        let first = taken(&design, &frame, &design.draw(&frame).unwrap());
        let mut turned = frame.clone();
        turned.rotate_left(rotate);
        turned.reverse();
        prop_assert_eq!(taken(&design, &turned, &design.draw(&turned).unwrap()), first);
    }

    /// SV-37: an allocation sums to the size, or to all there are, and takes from no stratum more than it has; by share it is
    /// off by less than one.
    #[test]
    fn an_allocation_sums_and_fits(
        sizes in prop::collection::vec(1_u32..400, 1..12), size in 1_u32..3000, equal in any::<bool>(), factor in 1_u32..5,
    ) {
        let names: Vec<String> = (0..sizes.len()).map(|at| format!("{at:02}")).collect();
        let strata: Vec<(&str, u32)> = names.iter().map(String::as_str).zip(sizes.iter().copied()).collect();
        let frame = frame(&strata);
        let allocation = if equal { Allocation::Equal } else { Allocation::Proportional };
        let oversampling = if factor == 1 { Vec::new() } else { vec![Oversampling { stratum: names[0].clone(), factor: factor * 1_000 }] };
        let design = Sampling { allocation, oversampling, ..sampling(Method::Stratified, size) };
        let draw = design.draw(&frame).unwrap();
        let population: u32 = sizes.iter().sum();
        prop_assert_eq!(draw.targets.values().sum::<u32>(), size.min(population));
        for (stratum, there) in &strata {
            prop_assert!(draw.targets[*stratum] <= *there);
            if factor == 1 && !equal && size <= population {
                let share = f64::from(size) * f64::from(*there) / f64::from(population);
                prop_assert!((f64::from(draw.targets[*stratum]) - share).abs() < 1.0 + 1e-9, "{stratum}: {share}");
            }
        }
        let asked = taken(&design, &frame, &draw);
        let distinct: BTreeSet<&Uuid> = asked.iter().collect();
        prop_assert_eq!(distinct.len(), asked.len());
        prop_assert!(draw.weights.values().all(|weight| *weight > 0));
    }
}
