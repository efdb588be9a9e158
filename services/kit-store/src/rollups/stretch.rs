//! What is read of an estate: the rows from an instant to another.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use steward_kit::auth::ScopedEstate;
use uuid::Uuid;

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
    /// Many of them as columns.
    pub fn columns(stretches: &[Self]) -> StretchColumns {
        let estates = stretches.iter().map(|stretch| stretch.estate.as_uuid()).collect();
        let starts = stretches.iter().map(|stretch| stretch.start.to_sqlx()).collect();
        (estates, starts, stretches.iter().map(|stretch| stretch.end.to_sqlx()).collect())
    }
}
