//! How this service counts its figures: messages of estates in a period, and what they come to.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use sqlx::PgConnection;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::EstateId;
use steward_kit::metric::{self, Definition, Period, Seen};
use steward_kit::{Error, Result};
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::rollups::{Count, Counter, Question, Stretch};

use crate::domain::figures::{self, Cohort, limit_seconds, tally};
use crate::store::metrics::tally_messages;

/// Counts messages to customers.
#[derive(Debug)]
pub(crate) struct CountMessages {
    estates: EstateDirectory,
}

/// What a definition counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counting {
    pub(super) cohort: Cohort,
    pub(super) limit_seconds: Option<i64>,
}

impl Counting {
    pub(super) fn of(definition: &Definition) -> Result<Self> {
        let metric = definition.metric.id;
        let cohort = Cohort::of(metric).ok_or_else(|| Error::bug(format_args!("no formula for {metric}")))?;
        Ok(Self { cohort, limit_seconds: definition.parameters.limit.as_ref().and_then(limit_seconds) })
    }
}

impl CountMessages {
    pub(super) fn new(estates: EstateDirectory) -> Self {
        Self { estates }
    }

    /// The period in each estate. From memory.
    pub(super) async fn stretches(&self, estates: &[ScopedEstate], period: Period) -> Result<Vec<Stretch>> {
        Stretch::each(estates, period, &self.estates).await
    }
}

impl Counter for CountMessages {
    fn rules(&self) -> Vec<&'static str> {
        [metric::RULES, figures::RULES, &[include_str!("count_messages.rs"), include_str!("../store/metrics.rs")]].concat()
    }

    async fn ground(&self, estate: EstateId) -> Result<Vec<u8>> {
        Ok(self.estates.get(estate).await?.time_zone.clone().into_bytes())
    }

    /// One trip for each limit that the definitions name.
    async fn count(
        &self,
        db: &mut PgConnection,
        question: &Question,
        estates: &[ScopedEstate],
        _now: jiff::Timestamp,
    ) -> Result<Vec<Count>> {
        let stretches = self.stretches(estates, question.period).await?;
        let of = |stretch: &Stretch| Count {
            estate: stretch.estate.id(),
            tallies: Vec::with_capacity(question.definitions.len()),
            read: (stretch.start, stretch.end),
            seen: Seen::default(),
        };
        let mut counts: Vec<Count> = stretches.iter().map(of).collect();
        let mut by_limit = BTreeMap::new();
        for definition in &question.definitions {
            let Counting { cohort, limit_seconds } = Counting::of(definition)?;
            let found = match by_limit.entry(limit_seconds) {
                Entry::Occupied(found) => found.into_mut(),
                Entry::Vacant(place) => place.insert(tally_messages(&mut *db, &stretches, limit_seconds).await?),
            };
            for count in &mut counts {
                let alike = found.get(&count.estate.as_uuid()).map_or(&[][..], Vec::as_slice);
                count.tallies.push(tally(cohort, limit_seconds.is_some(), alike));
            }
        }
        Ok(counts)
    }
}
