//! What a decision is made with, besides the order, the command and `now`.

use jiff::tz::TimeZone;
use steward_kit::calendar::Calendars;

use super::policy::Policies;
use super::roster::{Candidate, Lines};

/// The estate's rules and calendars. A command looks nothing up: the caller brings it.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The policy layers in force when the order was received (WO-73): at creation those of now, for every other verb those
    /// of `order.receive_time`. Only `create` and `classify` read them; the other verbs go by `order.terms`.
    pub policies: &'a Policies,
    /// Calendars of the estate, its region applied.
    pub calendars: &'a Calendars,
    /// Zone of the estate.
    pub zone: &'a TimeZone,
    /// Who reports to whom in the estate; empty unless the order complains about somebody of the staff.
    pub lines: &'a Lines,
    /// Whoever is about to become accountable, if the estate's roster has them; only for verbs that make somebody so.
    pub taker: Option<&'a Candidate>,
}
