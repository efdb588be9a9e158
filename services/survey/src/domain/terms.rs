//! The numbers of the policy, as they hold for one programme in one estate. What no layer says is off.

use steward_kit::calendar::Span;

use super::codes::ReportKind;
use super::figures::Yardstick;
use super::instrument::Instrument;
use super::mystery::MysteryTerms;
use super::validity::ValidityRules;

/// The numbers a wave, a feedback item or a plan goes by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// Answers that count as satisfied; empty means the two best.
    pub satisfied: Vec<u32>,
    /// Whether the middle answer counts too.
    pub include_neutral: bool,
    /// Points of each answer; empty means an even spread to 100.
    pub score_map: Vec<u32>,
    /// Valid responses a wave of the programme needs.
    pub min_valid: u32,
    /// Dimensions its questionnaire needs.
    pub min_dimensions: u32,
    /// Its waves are archived only with an improvement plan.
    pub requires_improvement_plan: bool,
    /// Most reminders.
    pub reminders: u32,
    /// Channel of each reminder, as notification names it; those beyond are left to its rules.
    pub reminder_channels: Vec<String>,
    /// From the invitation to the first, and from one to the next.
    pub reminder_after: Option<Span>,
    /// Scores up to this are followed up.
    pub low_score: u32,
    /// The same of answers from 0 to 10.
    pub low_score_of_ten: u32,
    /// What makes a response valid.
    pub validity: ValidityRules,
    /// Cells with fewer are not shown.
    pub suppress_below: u32,
    /// Share of the papers that are entered twice: numerator and denominator.
    pub second_entry: Option<(u32, u32)>,
    /// How long an effect is followed.
    pub improvement_follow_up: Option<Span>,
    /// How long a place in a quota is held.
    pub quota_hold: Option<Span>,
    /// By when feedback is collated.
    pub collation: Option<Span>,
    /// Who hears when it was not.
    pub collation_notify_roles: Vec<String>,
    /// Where feedback goes.
    pub routes: Vec<Route>,
    /// Reports that are owed.
    pub reports: Vec<ReportTerm>,
    /// How long a wave of the programme takes answers.
    pub open_for: Option<Span>,
    /// How mystery visits are judged.
    pub mystery: MysteryTerms,
}

/// Where the feedback of a topic goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The topic, and those below it.
    pub topic: String,
    /// The role.
    pub role: String,
}

/// A report that is owed.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportTerm {
    /// Which.
    pub kind: ReportKind,
    /// Month of the draft.
    pub month: i8,
    /// Day of the draft.
    pub day: i8,
    /// How long after it the report is due.
    pub due: Span,
}

impl Terms {
    /// How answers become the figures of an instrument, whose own map of points goes before the policy's.
    pub fn yardstick(&self, instrument: &Instrument) -> Yardstick {
        let maps = [&instrument.score_map, &self.score_map];
        Yardstick {
            satisfied: self.satisfied.clone(),
            include_neutral: self.include_neutral,
            score_maps: maps.into_iter().filter(|map| !map.is_empty()).cloned().collect(),
            ..Yardstick::default()
        }
    }

    /// The channel of a reminder, counted from 1; empty for notification's choice.
    pub fn reminder_channel(&self, number: u32) -> &str {
        let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        at.and_then(|at| self.reminder_channels.get(at)).map_or("", String::as_str)
    }

    /// Where an item of a topic goes; `None` where no route says.
    pub fn route(&self, topic: &str) -> Option<&str> {
        let matches = |route: &&Route| {
            route.topic.is_empty() || topic == route.topic || topic.strip_prefix(&route.topic).is_some_and(|rest| rest.starts_with('.'))
        };
        self.routes.iter().find(matches).map(|route| route.role.as_str())
    }
}
