//! What is read of an estate: the rows from an instant to another.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use steward_kit::auth::ScopedEstate;
use steward_kit::metric::Period;
use steward_kit::{Error, Result};
use uuid::Uuid;

use crate::estates::EstateDirectory;

/// An estate and its period.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// The estate.
    pub estate: ScopedEstate,
    /// From.
    pub start: Timestamp,
    /// To, no longer in it.
    pub end: Timestamp,
}

/// The columns of stretches, for `unnest`: estates, starts, ends.
pub type StretchColumns = (Vec<Uuid>, Vec<jiff_sqlx::Timestamp>, Vec<jiff_sqlx::Timestamp>);

impl Stretch {
    /// A period in each of these estates, from midnight to midnight of its own zone. From memory.
    ///
    /// # Errors
    /// `NotFound` for an estate that is not known (yet); a period that is out of range.
    pub async fn each(estates: &[ScopedEstate], period: Period, directory: &EstateDirectory) -> Result<Vec<Self>> {
        let mut stretches = Vec::with_capacity(estates.len());
        for estate in estates {
            let zone = directory.get(estate.id()).await?.zone()?;
            let (start, end) = period.instants(&zone).ok_or_else(|| Error::invalid("period", "PERIOD_INVALID", "is out of range"))?;
            stretches.push(Self { estate: *estate, start, end });
        }
        Ok(stretches)
    }

    /// Many of them as columns.
    pub fn columns(stretches: &[Self]) -> StretchColumns {
        let estates = stretches.iter().map(|stretch| stretch.estate.as_uuid()).collect();
        let starts = stretches.iter().map(|stretch| stretch.start.to_sqlx()).collect();
        (estates, starts, stretches.iter().map(|stretch| stretch.end.to_sqlx()).collect())
    }
}
