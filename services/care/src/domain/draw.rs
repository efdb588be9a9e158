//! Draws that anybody can repeat: who is held out, who is chosen. A seed and an id decide, never chance.

use aws_lc_rs::digest::{SHA256, digest};
use steward_kit::ids::HouseholdId;

/// Place of a household in the draw of a seed: as good as random, always the same.
fn place(seed: &[u8], household: HouseholdId) -> u64 {
    let mut text = (seed.len() as u64).to_be_bytes().to_vec();
    text.extend_from_slice(seed);
    text.extend_from_slice(household.as_uuid().as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest(&SHA256, &text).as_ref()[..8]);
    u64::from_be_bytes(first)
}

/// Whether a household belongs to the group that is held out (CA-85). It does, or does not, as long as the seed stands.
pub fn is_held_out(percent: u32, seed: &str, household: HouseholdId) -> bool {
    u128::from(place(seed.as_bytes(), household)) * 100 < u128::from(percent) << 64
}

/// Of `households`, the share of `percent`, rounded up, that the draw of `seed` puts first. Another seed chooses others.
pub fn choose(mut households: Vec<HouseholdId>, percent: u32, seed: &[u8]) -> Vec<HouseholdId> {
    let count = (households.len() * percent as usize).div_ceil(100);
    households.sort_by_cached_key(|household| (place(seed, *household), *household));
    households.truncate(count);
    households
}

/// Of households by group, `count` in all, taken from the groups in turn so that the mix is that of the whole (CA-56).
pub fn choose_mixed(households: Vec<(HouseholdId, String)>, count: usize, seed: &[u8]) -> Vec<(HouseholdId, String)> {
    let mut groups: std::collections::BTreeMap<String, Vec<HouseholdId>> = std::collections::BTreeMap::new();
    for (household, group) in households {
        groups.entry(group).or_default().push(household);
    }
    for members in groups.values_mut() {
        // The last is taken first.
        members.sort_by_cached_key(|household| std::cmp::Reverse((place(seed, *household), *household)));
    }
    let mut chosen = Vec::new();
    while chosen.len() < count && groups.values().any(|members| !members.is_empty()) {
        for (group, members) in &mut groups {
            if chosen.len() < count
                && let Some(household) = members.pop()
            {
                chosen.push((household, group.clone()));
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn households(count: u128) -> Vec<HouseholdId> {
        (1..=count).map(|at| uuid::Uuid::from_u128(at).into()).collect()
    }

    /// CA-30: of a thousand households 850 are called, and next month others are left out.
    #[test]
    fn a_share_is_exact_and_moves_with_its_seed() {
        let march = choose(households(1000), 85, b"2026-03-01");
        assert_eq!(march.len(), 850);
        assert_eq!(march, choose(households(1000), 85, b"2026-03-01"));
        let mut april = choose(households(1000), 85, b"2026-04-01");
        let (mut march, both) = (march, april.clone());
        march.sort();
        april.sort();
        assert_ne!(march, april);
        assert_eq!(both.len(), 850);
        assert_eq!(choose(households(3), 85, b"x").len(), 3, "rounded up");
    }

    /// CA-85: about the share asked for, and whoever is in it stays, however many join.
    #[test]
    fn a_hold_out_is_locked_by_its_seed() {
        let out: Vec<_> = households(10_000).into_iter().filter(|one| is_held_out(10, "spring", *one)).collect();
        assert!((900..1100).contains(&out.len()), "{}", out.len());
        assert!(out.iter().all(|one| is_held_out(10, "spring", *one) && is_held_out(50, "spring", *one)));
        assert!(out.iter().any(|one| !is_held_out(10, "summer", *one)));
    }

    /// CA-56: every building is heard.
    #[test]
    fn a_mixed_choice_takes_from_each_group() {
        let all = households(40).into_iter().enumerate().map(|(at, one)| (one, format!("b{}", at % 4))).collect();
        let chosen = choose_mixed(all, 12, b"seed");
        for group in ["b0", "b1", "b2", "b3"] {
            assert_eq!(chosen.iter().filter(|(_, of)| of == group).count(), 3, "{group}");
        }
    }
}
