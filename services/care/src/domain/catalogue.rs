//! The catalogue of actions of an estate: what its published programmes do, counted along the layers, nodes and tags (CA-01, CA-07,
//! CA-09).

use std::collections::BTreeMap;

use super::programme::{Definition, Programme};

/// How many actions there are of each sort.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By layer.
    pub layers: BTreeMap<String, i64>,
    /// By node; those of no node are not counted.
    pub nodes: BTreeMap<String, i64>,
    /// By DRIVE tag.
    pub tags: BTreeMap<String, i64>,
}

/// Counts the actions of programmes.
pub fn count<'a>(programmes: impl IntoIterator<Item = &'a Programme>) -> Counts {
    let mut counts = Counts::default();
    let mut add = |of: fn(&mut Counts) -> &mut BTreeMap<String, i64>, code: &str| *of(&mut counts).entry(code.to_owned()).or_default() += 1;
    for definition in programmes.into_iter().flat_map(|programme| &programme.document.definitions) {
        let Definition { layer, node, drive_tags, .. } = definition;
        add(|counts| &mut counts.layers, layer.as_str());
        node.iter().for_each(|node| add(|counts| &mut counts.nodes, node.as_str()));
        drive_tags.iter().for_each(|tag| add(|counts| &mut counts.tags, tag.as_str()));
    }
    counts
}
