//! How this service counts its figures: files, stays and estates, and what they come to. For a kept count and for an explanation it is
//! the same.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sqlx::PgConnection;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::EstateId;
use steward_kit::metric::{self, AsOf, Definition, Passed, Period, Seen, Tally};
use steward_kit::{Error, Result};
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::rollups::{Count, Counter, Question};
use uuid::Uuid;

use crate::domain::exit::ExitKind;
use crate::domain::figures::{self, Cohort, tally_estate, tally_files, tally_stays};
use crate::store::metrics::{Stretch, count_files};
use crate::store::stays::{find_stays, list_estate_stays};

/// Counts records of customers, files of households, stays of customers and of estates.
#[derive(Debug)]
pub(crate) struct CountCustomers {
    estates: EstateDirectory,
}

/// A period in the zone of an estate.
#[derive(Debug)]
pub(super) struct Reading {
    estate: EstateId,
    /// From its first instant to its end.
    read: (Timestamp, Timestamp),
    /// From when until when it has come this far.
    seen: Seen,
    /// What there is to read; nothing before it has begun.
    pub(super) stretch: Option<Stretch>,
}

impl CountCustomers {
    pub(super) fn new(estates: EstateDirectory) -> Self {
        Self { estates }
    }

    /// The period in each estate, as far as it has come. From memory.
    pub(super) async fn readings(&self, estates: &[ScopedEstate], period: Period, now: Timestamp) -> Result<Vec<Reading>> {
        let mut readings = Vec::with_capacity(estates.len());
        for scoped in estates {
            let estate = self.estates.get(scoped.id()).await?;
            let zone = estate.zone()?;
            let (start, end) = period.instants(&zone).ok_or_else(out_of_range)?;
            let as_of = AsOf::new(now);
            let day = last_day(period, &zone, &as_of, now)?;
            let stretch =
                day.map(|day| Stretch { estate: *scoped, start, end, first_day: period.from, day, zone: estate.time_zone.clone() });
            readings.push(Reading { estate: estate.id, read: (start, end), seen: as_of.seen(), stretch });
        }
        Ok(readings)
    }

    /// What a figure of each estate is made of. One trip.
    pub(super) async fn tallies(
        &self,
        db: &mut PgConnection,
        definition: &Definition,
        stretches: &[Stretch],
    ) -> Result<BTreeMap<Uuid, Tally>> {
        Ok(match cohort_of(definition)? {
            cohort @ (Cohort::Customers | Cohort::Households) => {
                let counts = count_files(db, cohort.subject(), stretches).await?;
                counts.into_iter().map(|(estate, counts)| (estate, tally_files(&counts))).collect()
            }
            Cohort::Stays => {
                let stays = find_stays(db, stretches, &exit_kinds(definition)).await?;
                let each = |(standing, numbers): (_, Vec<i64>)| numbers.into_iter().map(move |number| (standing, number));
                stays.into_iter().map(|(estate, stays)| (estate, tally_stays(stays.into_iter().flat_map(each)))).collect()
            }
            Cohort::Estates => {
                let rows = list_estate_stays(db, stretches).await?;
                rows.iter().map(|row| (row.estate, tally_estate(&row.stay))).collect()
            }
        })
    }
}

impl Counter for CountCustomers {
    /// The functions that judge rows stand in migrations; one that replaces them belongs here.
    fn rules(&self) -> Vec<&'static str> {
        let own = [
            include_str!("count_customers.rs"),
            include_str!("../store/metrics.rs"),
            include_str!("../store/stays.rs"),
            include_str!("../../migrations/1022_file_quality.sql"),
            include_str!("../../migrations/1025_exits.sql"),
        ];
        [metric::RULES, figures::RULES, &own].concat()
    }

    /// The zone, by which days begin and end.
    async fn ground(&self, estate: EstateId) -> Result<Vec<u8>> {
        Ok(self.estates.get(estate).await?.time_zone.clone().into_bytes())
    }

    /// One trip for each figure.
    async fn count(&self, db: &mut PgConnection, question: &Question, estates: &[ScopedEstate], now: Timestamp) -> Result<Vec<Count>> {
        let (mut counts, mut stretches) = (Vec::with_capacity(estates.len()), Vec::with_capacity(estates.len()));
        for Reading { estate, read, seen, stretch } in self.readings(estates, question.period, now).await? {
            counts.push(Count { estate, tallies: Vec::with_capacity(question.definitions.len()), read, seen });
            stretches.extend(stretch);
        }
        for definition in &question.definitions {
            let mut found = self.tallies(&mut *db, definition, &stretches).await?;
            for count in &mut counts {
                count.tallies.push(found.remove(&count.estate.as_uuid()).unwrap_or_default());
            }
        }
        Ok(counts)
    }
}

/// What a figure is counted from.
pub(super) fn cohort_of(definition: &Definition) -> Result<Cohort> {
    Cohort::of(definition.metric.id).ok_or_else(|| Error::bug(format_args!("no formula for {}", definition.metric.id)))
}

/// The exits that count as lost: those that the plan names, or those that the service is answerable for (F-13b).
pub(super) fn exit_kinds(definition: &Definition) -> Vec<String> {
    let chosen = &definition.parameters.exit_kinds;
    if chosen.is_empty() { ExitKind::service_related() } else { chosen.clone() }
}

/// The last local day of a period that has come: what holds on it counts, until the next one comes. `None` before the first.
fn last_day(period: Period, zone: &TimeZone, as_of: &AsOf, now: Timestamp) -> Result<Option<Date>> {
    // Of the days after tomorrow nothing has to be asked.
    let tomorrow = now.to_zoned(zone.clone()).date().tomorrow().map_err(Error::internal)?;
    let mut day = tomorrow.max(period.from).min(period.to);
    loop {
        let begin = day.to_zoned(zone.clone()).map_err(|_| out_of_range())?.timestamp();
        if as_of.has_passed(begin) {
            return Ok(Some(day));
        }
        if day <= period.from {
            return Ok(None);
        }
        day = day.yesterday().map_err(|_| out_of_range())?;
    }
}

fn out_of_range() -> Error {
    Error::invalid("period", "PERIOD_INVALID", "is out of range")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// XC-25: a period has come as far as the estate's own day, and stays there until its midnight.
    #[test]
    fn a_period_goes_on_with_each_local_midnight() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let june = Period::new(date(2026, 6, 1), date(2026, 6, 30)).unwrap();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let seen = |now: &str| {
            let as_of = AsOf::new(at(now));
            let day = last_day(june, &zone, &as_of, at(now)).unwrap();
            (day, as_of.seen().since, as_of.seen().until)
        };
        let midnight = |day| Some(date(2026, 6, day).to_zoned(zone.clone()).unwrap().timestamp());
        assert_eq!(seen("2026-05-01T00:00:00Z"), (None, None, midnight(1)));
        assert_eq!(seen("2026-05-31T15:59:59Z"), (None, None, midnight(1)));
        assert_eq!(seen("2026-05-31T16:00:00Z"), (Some(date(2026, 6, 1)), midnight(1), midnight(2)));
        assert_eq!(seen("2026-06-10T15:59:59Z"), (Some(date(2026, 6, 10)), midnight(10), midnight(11)));
        assert_eq!(seen("2026-06-29T16:00:00Z"), (Some(date(2026, 6, 30)), midnight(30), None), "its last day never ends for it");
        assert_eq!(seen("2027-01-01T00:00:00Z"), (Some(date(2026, 6, 30)), midnight(30), None));
    }
}
