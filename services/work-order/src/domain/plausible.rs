//! Which event times are believed (XC-63, XC-64).

use jiff::Timestamp;

use super::context::Context;
use super::refusal::Refusal;
use super::work_order::WorkOrder;

/// The field that carries the time, in every verb that has one.
const FIELD: &str = "occur_time";

/// When the event of a verb happened: as told, or now. Not in the future, not before what it follows, and not further
/// back than the policy allows without a second person.
pub(super) fn event_time(
    order: &WorkOrder,
    told: Option<Timestamp>,
    follows: Timestamp,
    ctx: &Context<'_>,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let Some(at) = told else { return Ok(now.max(follows)) };
    let refuse = |detail| Err(Refusal::TimeNotPlausible { field: FIELD, detail });
    if at > now {
        return refuse("must not be in the future");
    }
    if at < follows {
        return refuse("must not be before what it follows: the receipt, the reopening, or the step before");
    }
    if let Some(bound) = &order.terms.max_backdate {
        let due = ctx.calendars.due(at, bound, ctx.zone).map_err(|error| Refusal::of_calendar(FIELD, error))?;
        if now > due.time {
            return refuse("lies further back than the estate's policy allows without approval");
        }
    }
    Ok(at)
}

/// When the report itself happened: late entries are welcome, the future is not.
pub(super) fn report_time(told: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Refusal> {
    match told {
        Some(at) if at > now => Err(Refusal::TimeNotPlausible { field: FIELD, detail: "must not be in the future" }),
        Some(at) => Ok(at),
        None => Ok(now),
    }
}
