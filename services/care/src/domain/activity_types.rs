//! The catalogue of types of activities (CA-70).

use serde::Deserialize;

use super::community_codes::ActivityFamily;

/// The catalogue as it ships.
const SHIPPED: &str = include_str!("../../data/activity_types.yaml");

/// A type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityType {
    /// Code.
    pub code: String,
    /// Its family.
    pub family: ActivityFamily,
    /// Chinese name.
    pub name_zh: String,
    /// English name.
    pub name_en: String,
}

/// The types of a family, or all of them, family by family.
///
/// # Errors
/// The catalogue that ships does not read, which a test rules out.
pub fn shipped(family: Option<ActivityFamily>) -> Result<Vec<ActivityType>, serde_yaml_ng::Error> {
    let mut all: Vec<ActivityType> = serde_yaml_ng::from_str(SHIPPED)?;
    all.retain(|one| family.is_none_or(|family| one.family == family));
    all.sort_by(|a, b| (a.family, &a.code).cmp(&(b.family, &b.code)));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CA-70: the four families that the plans name, and the two of CA-22 and CA-75, each with examples.
    #[test]
    fn every_family_has_examples() {
        for family in ActivityFamily::ALL {
            assert!(!shipped(Some(*family)).expect("reads").is_empty(), "{family}");
        }
        let mut codes: Vec<String> = shipped(None).expect("reads").into_iter().map(|one| one.code).collect();
        let count = codes.len();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), count, "a code stands twice");
    }
}
