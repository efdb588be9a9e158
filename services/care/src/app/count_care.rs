//! How this service counts its figures: rows of estates in a period, then what they come to. For a kept count and for an explanation it
//! is the same.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::EstateId;
use steward_kit::metric::{self, Definition, Period, Seen};
use steward_kit::{Error, Result};
use steward_kit_store::rollups::{Count, Counter, Question, Stretch};

use super::rules::RuleBook;
use crate::domain::codes::Layer;
use crate::domain::figures::{self, Cohort, Row, cohort, tally};
use crate::store::caused::complained;
use crate::store::metrics::{Rows, covered, handovers, talks, targeted, visits};

/// How long complaints are laid to a campaign, where the plan says nothing (F-05c).
const LAID_TO_CAMPAIGN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Counts touchpoints, talks, visits, handovers and complaints of campaigns.
#[derive(Debug)]
pub(crate) struct CountCare {
    rules: Arc<RuleBook>,
}

/// The rows of a figure, and from where to where they were read in each estate.
pub(super) struct Found {
    pub(super) rows: Rows,
    read: Vec<(Timestamp, Timestamp)>,
}

/// What care counts (F-09): of which layer in each estate, empty for all care, and of which programme.
pub(super) struct Wanted<'a> {
    pub(super) layers: Vec<String>,
    pub(super) programme: &'a str,
}

impl CountCare {
    pub(super) fn new(rules: Arc<RuleBook>) -> Self {
        Self { rules }
    }

    /// The rows of a figure. One trip, two for a lift.
    pub(super) async fn rows(
        &self,
        db: &mut PgConnection,
        estates: &[ScopedEstate],
        period: Period,
        definition: &Definition,
        now: Timestamp,
    ) -> Result<Found> {
        let stretches = self.stretches(estates, period).await?;
        let mut read: Vec<_> = stretches.iter().map(|stretch| (stretch.start, stretch.end)).collect();
        let programme = definition.parameters.programme.as_str();
        let rows = match cohort_of(definition)? {
            Cohort::Talks => talks(db, &stretches).await?,
            Cohort::Covered => {
                let wanted = self.wanted(estates, definition, now).await?;
                covered(db, &stretches, &wanted.layers, wanted.programme).await?
            }
            Cohort::Targeted => targeted(db, &stretches, programme, false).await?,
            Cohort::TargetedTwice => {
                let mut rows = targeted(&mut *db, &stretches, programme, false).await?;
                if let Some(before) = period.previous() {
                    let stretches = self.stretches(estates, before).await?;
                    read.iter_mut().zip(&stretches).for_each(|((start, _), before)| *start = before.start.min(*start));
                    for (estate, more) in targeted(db, &stretches, programme, true).await? {
                        rows.entry(estate).or_default().extend(more);
                    }
                }
                rows
            }
            Cohort::Handovers => handovers(db, &stretches, programme).await?,
            Cohort::Visits => visits(db, &stretches).await?,
            Cohort::Complained => {
                let mut until = Vec::with_capacity(stretches.len());
                for stretch in &stretches {
                    let rules = self.rules.of(stretch.estate.id(), now).await?;
                    let own = rules.due_if(stretch.end, definition.parameters.look_ahead.as_ref())?;
                    until.push(own.map_or_else(|| stretch.end.checked_add(LAID_TO_CAMPAIGN), Ok).map_err(Error::internal)?);
                }
                read.iter_mut().zip(&until).for_each(|((_, end), until)| *end = (*until).max(*end));
                complained(db, &stretches, &until, programme).await?
            }
        };
        Ok(Found { rows, read })
    }

    /// A plan names a layer (CA-06), or a programme of its own; else the care policy says which layer has to reach everybody. From memory.
    pub(super) async fn wanted<'a>(&self, estates: &[ScopedEstate], definition: &'a Definition, now: Timestamp) -> Result<Wanted<'a>> {
        let programme = definition.parameters.programme.as_str();
        let mut layers = Vec::with_capacity(estates.len());
        for estate in estates {
            layers.push(match (programme, Layer::parse(programme)) {
                ("", _) => self.rules.of(estate.id(), now).await?.terms.coverage_layer.unwrap_or_default(),
                (layer, Some(_)) => layer.to_owned(),
                (_, None) => String::new(),
            });
        }
        Ok(Wanted { layers, programme: if Layer::parse(programme).is_some() { "" } else { programme } })
    }

    /// The period of each estate. From memory.
    pub(super) async fn stretches(&self, estates: &[ScopedEstate], period: Period) -> Result<Vec<Stretch>> {
        Stretch::each(estates, period, &self.rules.estates).await
    }
}

impl Counter for CountCare {
    /// What is care of a stretch of time stands in a migration; one that replaces it belongs here.
    fn rules(&self) -> Vec<&'static str> {
        let own = [
            include_str!("count_care.rs"),
            include_str!("../store/metrics.rs"),
            include_str!("../store/caused.rs"),
            include_str!("../../migrations/1014_figure_changes.sql"),
            figures::RULES,
        ];
        [metric::RULES, &own].concat()
    }

    /// The zone, the calendars that a limit is counted on, and the layer that has to reach everybody.
    async fn ground(&self, estate: EstateId) -> Result<Vec<u8>> {
        let found = self.rules.estates.get(estate).await?;
        let calendars = self.rules.calendars.for_estate(&found).await?;
        let layer = self.rules.now(estate).await?.terms.coverage_layer.unwrap_or_default();
        Ok([found.time_zone.as_bytes(), b"\n", layer.as_bytes(), b"\n", &calendars.content].concat())
    }

    async fn count(&self, db: &mut PgConnection, question: &Question, estates: &[ScopedEstate], now: Timestamp) -> Result<Vec<Count>> {
        let mut counts: Vec<Count> = Vec::with_capacity(estates.len());
        for definition in &question.definitions {
            let cohort = cohort_of(definition)?;
            let found = self.rows(&mut *db, estates, question.period, definition, now).await?;
            for (place, (estate, read)) in estates.iter().zip(&found.read).enumerate() {
                let rows = found.rows.get(&estate.as_uuid()).map_or(&[] as &[Row], Vec::as_slice);
                if place == counts.len() {
                    counts.push(Count { estate: estate.id(), tallies: Vec::new(), read: *read, seen: Seen::default() });
                }
                if let Some(count) = counts.get_mut(place) {
                    count.read = (count.read.0.min(read.0), count.read.1.max(read.1));
                    count.tallies.push(tally(cohort, rows));
                }
            }
        }
        Ok(counts)
    }
}

/// What a figure is counted from.
pub(super) fn cohort_of(definition: &Definition) -> Result<Cohort> {
    cohort(definition.metric.id).ok_or_else(|| Error::bug(format_args!("no formula for {}", definition.metric.id)))
}
