//! Major complaints (WO-38): what makes one, for how long it counts, and who is told. The numbers and words are the plan's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use steward_kit::calendar::Span;

use super::actor;
use super::case::{Channel, Kind, is_at_or_below};
use super::context::Context;
use super::draft::Draft;
use super::history::Action;
use super::intake::normalised;
use super::policy::Policies;
use super::refusal::Refusal;
use super::transition::{Fact, TimerKey, Transition};
use super::work_order::WorkOrder;

/// The rules of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MajorRules {
    /// Any one of them makes a case major.
    pub rules: Vec<MajorRule>,
    /// How long after closure it counts; `None`: as the layer below says.
    pub window: Option<Span>,
    /// Roles told; empty: as the layer below says.
    pub notify_roles: Vec<String>,
}

/// Holds when everything that it says holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MajorRule {
    /// The reason told.
    pub code: String,
    /// Only these kinds; empty means complaints.
    pub kinds: Vec<Kind>,
    /// Any of these in the text.
    pub any_words: Vec<String>,
    /// The category is one of these or below it.
    pub categories: Vec<String>,
    /// It came by one of these.
    pub channels: Vec<Channel>,
    /// Media came with it.
    pub has_media: bool,
    /// At least so many yuan are named in the text.
    pub min_amount_yuan: u32,
    /// So many units sent in such a case.
    pub min_households: u32,
    /// So many came from this unit or customer.
    pub min_reports: u32,
    /// How many days back they are counted.
    pub within_days: u32,
    /// No such rule, whatever the layers below say.
    pub off: bool,
}

/// What was counted around a case, this one included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Units of the estate with a case of the rule's kinds in the category.
    pub households: u32,
    /// Such cases of this unit or customer.
    pub reports: u32,
}

/// Whether an order is a major complaint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Major {
    /// When it is to be judged: a timer waits for it.
    pub judge_time: Option<Timestamp>,
    /// The judgement, if it is one.
    pub flag: Option<MajorFlag>,
}

/// The judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MajorFlag {
    /// Codes of the rules that held.
    pub reasons: Vec<String>,
    /// From when it counts.
    pub flag_time: Timestamp,
    /// How long after closure it counts, bound when it was judged.
    pub window: Option<Span>,
    /// From when it no longer counts; known from the closure on.
    pub clear_time: Option<Timestamp>,
    /// Whether it was told that it no longer counts.
    pub is_cleared: bool,
}

impl MajorRule {
    fn is_for(&self, kind: Kind) -> bool {
        if self.kinds.is_empty() { kind == Kind::Complaint } else { self.kinds.contains(&kind) }
    }

    /// The kinds that are counted around a case.
    pub fn counted_kinds(&self) -> Vec<Kind> {
        if self.kinds.is_empty() { vec![Kind::Complaint] } else { self.kinds.clone() }
    }

    /// Whether it holds for every case of its kinds.
    pub fn says_nothing(&self) -> bool {
        let about_itself = !self.any_words.is_empty() || !self.categories.is_empty() || !self.channels.is_empty();
        !(self.off || about_itself || self.has_media || self.min_amount_yuan > 0 || self.counts_around())
    }

    /// Whether it looks beyond the case itself.
    pub fn counts_around(&self) -> bool {
        self.min_households > 0 || self.min_reports > 0
    }

    fn holds(&self, order: &WorkOrder, around: Around) -> bool {
        let text = normalised(order.description.expose());
        self.is_for(order.kind)
            && (self.any_words.is_empty() || self.any_words.iter().any(|word| text.contains(&normalised(word))))
            && (self.categories.is_empty() || self.categories.iter().any(|code| is_at_or_below(&order.category, code)))
            && (self.channels.is_empty() || self.channels.contains(&order.channel))
            && (!self.has_media || !order.media.is_empty())
            && (self.min_amount_yuan == 0 || largest_amount(&text) >= u64::from(self.min_amount_yuan))
            && around.households >= self.min_households
            && around.reports >= self.min_reports
    }
}

/// The largest amount of yuan named in a normalised text: `8000元`, `3.5万元`, `2万`.
fn largest_amount(text: &str) -> u64 {
    let mut largest = 0;
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        rest = &rest[start..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let unit = [("万", 10_000), ("萬", 10_000), ("元", 1), ("块", 1)].into_iter().find(|(unit, _)| after.starts_with(unit));
        if let Some((_, yuan)) = unit {
            largest = largest.max(yuan_of(number, yuan));
        }
        rest = after;
    }
    largest
}

/// `3.5` times 10,000 without a float. What is too long to be an amount is none.
fn yuan_of(number: &str, unit: u64) -> u64 {
    let number = number.replace(',', "");
    let (whole, decimals) = number.split_once('.').unwrap_or((&number, ""));
    let decimals = &decimals[..decimals.len().min(4)];
    let scale = 10_u64.pow(u32::try_from(decimals.len()).unwrap_or_default());
    let parsed = whole.parse::<u64>().ok().zip(format!("0{decimals}").parse::<u64>().ok());
    parsed.map_or(0, |(whole, part)| whole.saturating_mul(unit).saturating_add(part.saturating_mul(unit) / scale))
}

impl Policies {
    /// The rules in force: the most specific of each code, those that are off left out.
    pub fn major_rules(&self) -> Vec<&MajorRule> {
        let mut by_code = BTreeMap::new();
        for rule in self.intake.iter().flat_map(|layer| &layer.document.major.rules) {
            by_code.entry(rule.code.as_str()).or_insert(rule);
        }
        by_code.into_values().filter(|rule| !rule.off).collect()
    }

    fn major_window(&self) -> Option<Span> {
        self.intake.iter().find_map(|layer| layer.document.major.window.clone())
    }

    fn major_notify_roles(&self) -> Vec<String> {
        let mut roles = self.intake.iter().map(|layer| &layer.document.major.notify_roles);
        roles.find(|roles| !roles.is_empty()).cloned().unwrap_or_default()
    }
}

impl Draft<'_> {
    /// The case may be a major complaint: a timer that is due at once judges it, so that no caller waits for the counting.
    pub(super) fn have_majority_judged(&mut self) {
        let may_be = self.order.major.flag.is_none() && self.ctx.policies.major_rules().iter().any(|rule| rule.is_for(self.order.kind));
        if may_be {
            self.order.major.judge_time = Some(self.now);
        }
    }

    /// The case was closed: its window begins.
    pub(super) fn begin_major_window(&mut self, closed: Timestamp) -> Result<(), Refusal> {
        let Some(flag) = self.order.major.flag.as_mut().filter(|flag| !flag.is_cleared) else { return Ok(()) };
        let Some(window) = &flag.window else { return Ok(()) };
        let due = self.ctx.calendars.due(closed, window, self.ctx.zone).map_err(|error| Refusal::of_calendar("clock", error))?;
        flag.clear_time = Some(due.time);
        Ok(())
    }

    /// The case goes on: nobody knows when it will no longer count.
    pub(super) fn stop_major_window(&mut self) {
        if let Some(flag) = self.order.major.flag.as_mut().filter(|flag| !flag.is_cleared) {
            flag.clear_time = None;
        }
    }

    /// It no longer counts from `at` on.
    pub(super) fn clear_major(&mut self, at: Timestamp) {
        self.order.major.judge_time = None;
        let Some(flag) = self.order.major.flag.as_mut().filter(|flag| !flag.is_cleared) else { return };
        flag.clear_time = Some(at);
        flag.is_cleared = true;
        self.tell(at, Fact::MajorCleared);
        self.note(Action::MajorCleared, at, []);
    }
}

/// Judges a case; `around` are the counts by the code of the rule that wants them. A case that is not major makes an empty
/// transition.
///
/// # Errors
/// `CalendarUnknown`.
pub fn judge_major(order: &WorkOrder, around: &BTreeMap<String, Around>, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &actor::system(), ctx, now);
    draft.note_fired(TimerKey::JudgeMajor);
    draft.close_if_silent()?;
    draft.order.major.judge_time = None;
    let rules = ctx.policies.major_rules();
    let counts = |rule: &MajorRule| around.get(&rule.code).copied().unwrap_or_default();
    let reasons: Vec<String> =
        rules.into_iter().filter(|rule| rule.holds(&draft.order, counts(rule))).map(|rule| rule.code.clone()).collect();
    if reasons.is_empty() || draft.order.major.flag.is_some() || draft.order.state == super::state::State::Cancelled {
        return Ok(draft.finish());
    }
    let window = ctx.policies.major_window();
    draft.order.major.flag = Some(MajorFlag { reasons: reasons.clone(), flag_time: now, window, clear_time: None, is_cleared: false });
    if let Some(closed) = draft.order.milestone_time(super::case::Milestone::Closed) {
        draft.begin_major_window(closed)?;
    }
    let detail = [("reasons", reasons.join(","))];
    draft.tell(now, Fact::MajorFlagged { reasons, notify_roles: ctx.policies.major_notify_roles() });
    draft.note(Action::MajorFlagged, now, detail);
    Ok(draft.finish())
}

/// The window after closure is over. A timer that fired for a case that goes on again makes an empty transition.
///
/// # Errors
/// `CalendarUnknown`.
pub fn major_window_over(order: &WorkOrder, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &actor::system(), ctx, now);
    draft.note_fired(TimerKey::MajorWindow);
    draft.close_if_silent()?;
    let over = draft.order.major.flag.as_ref().and_then(|flag| flag.clear_time).filter(|clear| *clear <= now);
    if let Some(clear) = over {
        draft.clear_major(clear);
    }
    Ok(draft.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_from_texts() {
        for (text, yuan) in [
            ("要求赔偿3万元", 30_000),
            ("赔偿 8,000元，否则投诉", 8_000),
            ("损失3.5万", 35_000),
            ("电话13800138000", 0),
            ("2块5毛，又要12元", 12),
            ("没有", 0),
        ] {
            assert_eq!(largest_amount(&normalised(text)), yuan, "{text}");
        }
    }
}
