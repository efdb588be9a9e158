//! How a due time came about, and what one would be. Writes nothing.

use jiff::Timestamp;
use steward_kit::auth::Access;
use steward_kit::calendar::{CalendarError, Span};
use steward_kit::ids::{EstateId, WorkOrderId};
use steward_kit::{Error, Result};

use super::App;
use crate::domain::{Clock, Estimate, Explanation, Refusal, estimate, explain};

impl App {
    /// Explains a clock of an order; cycle 0 means the latest that has it. One trip.
    pub(crate) async fn explain_clock(&self, access: &Access, id: WorkOrderId, name: &str, cycle: u32) -> Result<(Clock, Explanation)> {
        let order = self.load(access, id).await?;
        let clock = order.clock(name, cycle).ok_or_else(|| Error::not_found("clock", name))?;
        let rules = self.rules.of(order.estate_id, order.receive_time).await?;
        let explanation = explain(&order, clock, &rules.context(), self.clock.now()).map_err(|error| refused("clock", error))?;
        Ok((clock.clone(), explanation))
    }

    /// What a deadline would be in an estate. No trip.
    pub(crate) async fn compute_due_time(
        &self,
        access: &Access,
        estate: EstateId,
        start: Option<Timestamp>,
        span: &Span,
    ) -> Result<Estimate> {
        access.scope.estate(estate)?;
        let now = self.clock.now();
        let rules = self.rules.of(estate, now).await?;
        estimate(start.unwrap_or(now), span, &rules.context()).map_err(|error| refused("span", error))
    }
}

fn refused(field: &'static str, error: CalendarError) -> Error {
    Refusal::of_calendar(field, error).into()
}
