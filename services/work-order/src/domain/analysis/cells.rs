//! Cases by everything that they are told apart by (WO-55). A tally holds the finest cells; every coarser question is answered by adding
//! them up, so that parts always sum to their whole.

use std::collections::BTreeMap;

use steward_kit::ids::EstateId;
use steward_kit::metric::Tally;

use crate::domain::case::{Channel, Kind, is_at_or_below};

/// Where a case lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseKey {
    /// Kind.
    pub kind: Kind,
    /// Category; empty while not classified.
    pub category: String,
    /// Hour of the local day, 0 to 23.
    pub hour: u8,
    /// Day of the week, 1 is Monday.
    pub weekday: u8,
    /// Channel.
    pub channel: Channel,
    /// Code of the building; empty for what belongs to none.
    pub building: String,
}

impl CaseKey {
    /// As the key of a tally's cell. The building comes last: its code may hold anything.
    pub fn write(&self) -> String {
        format!("{}|{}|{}|{}|{}|{}", self.kind, self.category, self.hour, self.weekday, self.channel, self.building)
    }

    /// Out of such a key.
    pub fn read(key: &str) -> Option<Self> {
        let mut parts = key.splitn(6, '|');
        let mut next = || parts.next();
        Some(Self {
            kind: Kind::parse(next()?)?,
            category: next()?.to_owned(),
            hour: next()?.parse().ok()?,
            weekday: next()?.parse().ok()?,
            channel: Channel::parse(next()?)?,
            building: next()?.to_owned(),
        })
    }
}

/// Which cases; every list that is not empty must contain the case's value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaseSlice {
    /// Kinds.
    pub kinds: Vec<Kind>,
    /// Categories, each with what is below it.
    pub categories: Vec<String>,
    /// Hours.
    pub hours: Vec<u8>,
    /// Days of the week.
    pub weekdays: Vec<u8>,
    /// Buildings.
    pub buildings: Vec<String>,
    /// Channels.
    pub channels: Vec<Channel>,
}

impl CaseSlice {
    /// Whether a case is one of them.
    pub fn has(&self, key: &CaseKey) -> bool {
        fn is_in<T: PartialEq>(list: &[T], value: &T) -> bool {
            list.is_empty() || list.contains(value)
        }
        is_in(&self.kinds, &key.kind)
            && (self.categories.is_empty() || self.categories.iter().any(|code| is_at_or_below(&key.category, code)))
            && is_in(&self.hours, &key.hour)
            && is_in(&self.weekdays, &key.weekday)
            && is_in(&self.buildings, &key.building)
            && is_in(&self.channels, &key.channel)
    }
}

/// What cells are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Estate.
    Estate,
    /// Kind.
    Kind,
    /// Category.
    Category,
    /// Hour of the local day.
    Hour,
    /// Day of the week.
    Weekday,
    /// Building.
    Building,
    /// Channel.
    Channel,
}

/// A cell of an answer: what it is told apart by is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Estate.
    pub estate: Option<EstateId>,
    /// Kind.
    pub kind: Option<Kind>,
    /// Category.
    pub category: Option<String>,
    /// Hour.
    pub hour: Option<u8>,
    /// Day of the week.
    pub weekday: Option<u8>,
    /// Building.
    pub building: Option<String>,
    /// Channel.
    pub channel: Option<Channel>,
}

/// The cells of a tally.
pub fn cells_of(tally: &Tally) -> impl Iterator<Item = (CaseKey, i64)> {
    tally.cells.iter().filter_map(|cell| Some((CaseKey::read(&cell.key)?, cell.number)))
}

/// Cases of a slice, told apart by some dimensions.
pub fn grouped<'a>(
    tallies: impl IntoIterator<Item = (EstateId, &'a Tally)>,
    slice: &CaseSlice,
    dimensions: &[Dimension],
) -> BTreeMap<Group, i64> {
    let mut groups = BTreeMap::new();
    for (estate, tally) in tallies {
        for (key, cases) in cells_of(tally).filter(|(key, _)| slice.has(key)) {
            *groups.entry(group(estate, key, dimensions)).or_default() += cases;
        }
    }
    groups
}

fn group(estate: EstateId, key: CaseKey, dimensions: &[Dimension]) -> Group {
    let by = |dimension| dimensions.contains(&dimension);
    Group {
        estate: by(Dimension::Estate).then_some(estate),
        kind: by(Dimension::Kind).then_some(key.kind),
        hour: by(Dimension::Hour).then_some(key.hour),
        weekday: by(Dimension::Weekday).then_some(key.weekday),
        channel: by(Dimension::Channel).then_some(key.channel),
        category: Some(key.category).filter(|_| by(Dimension::Category)),
        building: Some(key.building).filter(|_| by(Dimension::Building)),
    }
}
