//! A programme is planned in an estate: definition by definition, batch by batch. Each touchpoint's id is made of programme, household,
//! definition and occurrence, so a batch that is written again changes nothing: a crash costs the definition that was under way.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::{Date, Time};
use steward_kit::auth::Scope;
use steward_kit::ids::{EstateId, HouseholdId};
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, TimerChange};
use uuid::Uuid;

use super::App;
use super::audience::{Member, Question};
use super::plan_timers::daily_timer;
use super::wakes::Work;
use crate::domain::base::{Change, Stored, TimerKind};
use crate::domain::codes::{HouseholdDateKind, ProgrammeState, TouchpointState};
use crate::domain::draw::{choose, is_held_out};
use crate::domain::ids::{ProgrammeId, touchpoint_id};
use crate::domain::occurrence::{Occurrence, next, period_end};
use crate::domain::programme::{Anchor, Definition, Programme};
use crate::domain::terms::Rules;
use crate::domain::touchpoint::Touchpoint;
use crate::store::dates::list_dates;
use crate::store::planner::{Run, household_dates, live_of, load_run, save_run};
use crate::store::programmes::{load_programme, load_published};

/// Rows of one write.
const BATCH: usize = 500;

/// How far ahead days that customers keep are asked for; customer answers for two months.
const KEY_DATES_AHEAD: i64 = 60;

/// A household with the occurrence that is planned for it.
type Wanted = (Member, Occurrence);

impl App {
    /// Plans what is next for every household, and comes again tomorrow. One page of a thousand households is one question; what is
    /// written goes in batches.
    pub(crate) async fn plan_programme(&self, programme: ProgrammeId, estate: EstateId) -> Result<()> {
        let scope = Scope::system("a programme is planned");
        let Some(programme) = load_programme(self.db.pool(), &scope, programme).await? else { return Ok(()) };
        let now = self.clock.now();
        let rules = self.rules.of(estate, now).await?;
        match programme.state {
            ProgrammeState::Published => {}
            ProgrammeState::Draft => return Ok(()),
            ProgrammeState::Retired => return self.end_programme(&programme, estate, now).await,
        }
        let today = rules.date(now);
        let run = load_run(self.db.pool(), programme.id, estate).await?;
        // What fell due while nobody planned is planned after all.
        // A later version begins tomorrow: what is due today is the earlier one's.
        let begin = if programme.version > 1 { today.tomorrow().map_err(Error::internal)? } else { today };
        let from = run.map_or(begin, |run| run.planned_date).max(programme.document.from_date.unwrap_or(Date::MIN));
        let first = run.map_or(0, |run| run.definition);
        for (at, definition) in programme.document.definitions.iter().enumerate().skip(first) {
            self.plan_definition(&programme, definition, estate, from, &rules, now).await?;
            let planned_date = run.map_or(begin, |run| run.planned_date);
            save_run(self.db.pool(), programme.id, estate, Run { planned_date, definition: at + 1 }, now).await?;
        }
        save_run(self.db.pool(), programme.id, estate, Run { planned_date: today.max(begin), definition: 0 }, now).await?;
        if programme.document.to_date.is_none_or(|last| last >= today) {
            let tomorrow = rules.at(today.tomorrow().map_err(Error::internal)?, Time::midnight())?;
            self.set_plan_timer(programme.id, estate, tomorrow, now).await?;
        } else {
            self.cancel_plan_timer(programme.id, estate, now).await?;
        }
        Ok(())
    }

    async fn plan_definition(
        &self,
        programme: &Programme,
        definition: &Definition,
        estate: EstateId,
        from: Date,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<()> {
        let mut wanted = self.wanted(programme, definition, estate, from, rules, now).await?;
        if definition.share_percent > 0 {
            keep_share(&mut wanted, programme, definition);
        }
        self.cancel_moved(programme, definition, estate, &wanted, now).await?;
        for chunk in wanted.chunks(BATCH) {
            let made = chunk.iter().map(|(member, occurrence)| make(programme, definition, estate, member, *occurrence, rules, now));
            self.insert_missing(made.collect::<Result<Vec<_>>>()?, now).await?;
        }
        Ok(())
    }

    /// The households of a definition, each with its next occurrence.
    pub(super) async fn wanted(
        &self,
        programme: &Programme,
        definition: &Definition,
        estate: EstateId,
        from: Date,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Vec<Wanted>> {
        let until = programme.document.to_date;
        let question = Question { estate, condition: definition.audience.as_ref(), building: None, exclusions: &[], fields: &[] };
        let find = |fact: Option<Date>| next(definition, fact, from, until, rules);
        match &definition.anchor {
            Anchor::Fact(field) if field.starts_with("care.") => {
                let kind = if field == "care.signing_date" { HouseholdDateKind::Signing } else { HouseholdDateKind::Subscription };
                let days: BTreeMap<HouseholdId, Date> = household_dates(self.db.pool(), estate, kind).await?.into_iter().collect();
                if days.is_empty() {
                    return Ok(Vec::new());
                }
                with_days(self.audience.members(&question).await?, |member| days.get(&member.household).copied(), find)
            }
            Anchor::Fact(field) => {
                let members = self.audience.members(&Question { fields: &[field], ..question }).await?;
                with_days(members, |member| member.date(field), find)
            }
            Anchor::KeyDate(kind) => {
                // A day may be reached by an offset before it as well as after.
                let start = reach(definition, from, rules)?;
                let end = start.saturating_add(KEY_DATES_AHEAD.days());
                let days = self.audience.key_dates(estate, kind, start, end).await?;
                let members: BTreeSet<HouseholdId> = match &definition.audience {
                    Some(_) => self.audience.members(&question).await?.into_iter().map(|member| member.household).collect(),
                    None => days.iter().map(|(member, _)| member.household).collect(),
                };
                let mut wanted = Vec::new();
                for (member, day) in days {
                    if members.contains(&member.household)
                        && let Some(occurrence) = find(Some(day))?
                    {
                        wanted.push((member, occurrence));
                    }
                }
                Ok(wanted)
            }
            Anchor::EstateDate(kind) => {
                let mut wanted = Vec::new();
                for date in list_dates(self.db.pool(), estate, Some(kind), None, i64::from(u8::MAX)).await? {
                    let building = Some(date.subject_code.as_str()).filter(|code| !code.is_empty());
                    let occurrence = match find(Some(date.date))? {
                        Some(occurrence) => occurrence,
                        // What came about is told, though it was recorded later.
                        None if date.is_reached => Occurrence { anchor_date: date.date, due_date: rules.date(now), due_time: now },
                        None => continue,
                    };
                    let members = self.audience.members(&Question { building, ..question }).await?;
                    wanted.extend(members.into_iter().map(|member| (member, occurrence)));
                }
                Ok(wanted)
            }
            Anchor::Solar(..) | Anchor::Lunar(..) | Anchor::Festival(_) | Anchor::Recurrence(_) => {
                let Some(occurrence) = find(None)? else { return Ok(Vec::new()) };
                let members = self.audience.members(&question).await?;
                Ok(members.into_iter().map(|member| (member, occurrence)).collect())
            }
        }
    }

    /// What waits for a day that the facts no longer hold is cancelled: the day moved.
    async fn cancel_moved(
        &self,
        programme: &Programme,
        definition: &Definition,
        estate: EstateId,
        wanted: &[Wanted],
        now: Timestamp,
    ) -> Result<()> {
        match definition.anchor {
            Anchor::Fact(_) | Anchor::EstateDate(_) => {}
            Anchor::KeyDate(_) | Anchor::Solar(..) | Anchor::Lunar(..) | Anchor::Festival(_) | Anchor::Recurrence(_) => return Ok(()),
        }
        let days: BTreeMap<HouseholdId, BTreeSet<Date>> = wanted.iter().fold(BTreeMap::new(), |mut days, (member, occurrence)| {
            days.entry(member.household).or_insert_with(BTreeSet::new).insert(occurrence.anchor_date);
            days
        });
        let live = live_of(self.db.pool(), estate, programme.id, Some(&definition.code)).await?;
        let moved: Vec<Uuid> = live
            .into_iter()
            .filter(|(_, household, day)| days.get(household).is_some_and(|days| day.is_none_or(|day| !days.contains(&day))))
            .map(|(id, _, _)| id)
            .collect();
        for chunk in moved.chunks(BATCH) {
            self.settle_all::<Touchpoint>(chunk, now, |row, _| row.value.cancel("anchor_moved", now)).await?;
        }
        Ok(())
    }

    /// A programme ended: what waits is cancelled.
    async fn end_programme(&self, programme: &Programme, estate: EstateId, now: Timestamp) -> Result<()> {
        let is_superseded = load_published(self.db.pool(), programme.estate_id, &programme.code).await?.is_some();
        let live = live_of(self.db.pool(), estate, programme.id, None).await?;
        let ids: Vec<Uuid> = live.into_iter().map(|(id, _, _)| id).collect();
        for chunk in ids.chunks(BATCH) {
            self.settle_all::<Touchpoint>(chunk, now, |row, rules| {
                // The version that follows begins tomorrow.
                let stays = is_superseded && rules.date(row.value.due_time) <= rules.date(now);
                if stays { Ok(None) } else { row.value.cancel("programme_ended", now) }
            })
            .await?;
        }
        self.cancel_plan_timer(programme.id, estate, now).await
    }

    async fn set_plan_timer(&self, programme: ProgrammeId, estate: EstateId, due: Timestamp, now: Timestamp) -> Result<()> {
        // Asked for again meanwhile: that comes next, and its lease stands.
        if self.wakes.has(Work::Plan(programme.as_uuid(), estate.as_uuid())) {
            return Ok(());
        }
        self.write_timers(vec![daily_timer(programme, estate, due)], now).await
    }

    async fn cancel_plan_timer(&self, programme: ProgrammeId, estate: EstateId, now: Timestamp) -> Result<()> {
        let cancel = TimerChange::cancel(TimerKind::ProgrammePlan.as_str(), programme, estate.to_string());
        self.write_timers(vec![cancel], now).await
    }

    async fn write_timers(&self, timers: Vec<TimerChange>, now: Timestamp) -> Result<()> {
        let effects = Effects { timers, ..Effects::none() };
        let mut tx = self.db.begin().await?;
        effects.write(&self.db, &mut tx, now).await?;
        tx.commit().await.map_err(steward_kit_store::store_error)?;
        self.db.wake(&effects);
        Ok(())
    }
}

fn reach(definition: &Definition, from: Date, rules: &Rules) -> Result<Date> {
    match &definition.offset {
        Some((false, span)) => rules.shift(from, true, span),
        Some((true, _)) | None => Ok(from),
    }
}

fn with_days(
    members: Vec<Member>,
    day: impl Fn(&Member) -> Option<Date>,
    find: impl Fn(Option<Date>) -> Result<Option<Occurrence>>,
) -> Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    for member in members {
        if let Some(day) = day(&member)
            && let Some(occurrence) = find(Some(day))?
        {
            wanted.push((member, occurrence));
        }
    }
    Ok(wanted)
}

/// Of the households of an occurrence, those that its draw puts first (CA-30).
fn keep_share(wanted: &mut Vec<Wanted>, programme: &Programme, definition: &Definition) {
    let mut by_day: BTreeMap<Date, Vec<HouseholdId>> = BTreeMap::new();
    for (member, occurrence) in wanted.iter() {
        by_day.entry(occurrence.anchor_date).or_default().push(member.household);
    }
    let chosen: BTreeSet<(Date, HouseholdId)> = by_day
        .into_iter()
        .flat_map(|(day, households)| {
            let seed = format!("{}/{}/{day}", programme.code, definition.code);
            choose(households, definition.share_percent, seed.as_bytes()).into_iter().map(move |household| (day, household))
        })
        .collect();
    wanted.retain(|(member, occurrence)| chosen.contains(&(occurrence.anchor_date, member.household)));
}

fn make(
    programme: &Programme,
    definition: &Definition,
    estate: EstateId,
    member: &Member,
    occurrence: Occurrence,
    rules: &Rules,
    now: Timestamp,
) -> Result<(Stored<Touchpoint>, Change<Touchpoint>)> {
    let is_held_out = programme.document.holdout.as_ref().is_some_and(|(percent, seed)| is_held_out(*percent, seed, member.household));
    let period_end = match definition.anchor {
        Anchor::Recurrence(every) => Some(period_end(every, occurrence.anchor_date)?),
        Anchor::Fact(_) | Anchor::KeyDate(_) | Anchor::Solar(..) | Anchor::Lunar(..) | Anchor::Festival(_) | Anchor::EstateDate(_) => None,
    };
    let touchpoint = Touchpoint {
        household_id: member.household,
        unit_id: member.unit,
        customer_id: member.customer,
        programme_id: Some(programme.id),
        programme_code: programme.code.clone(),
        definition_code: definition.code.clone(),
        layer: definition.layer,
        node: definition.node,
        drive_tags: definition.drive_tags.clone(),
        action: definition.action.clone(),
        anchor_date: occurrence.anchor_date,
        due_time: occurrence.due_time,
        local_time: definition.local_time.or(rules.terms.times.touchpoint).unwrap_or_else(Time::midnight),
        act_within: definition.act_within.clone().or_else(|| rules.terms.act_within.clone()),
        confirm_within: definition.confirm_within.clone().or_else(|| rules.terms.confirm_within.clone()),
        period_end,
        window_end: None,
        state: if is_held_out { TouchpointState::HeldOut } else { TouchpointState::Planned },
        reason_code: String::new(),
        look_time: None,
        individual_reason: String::new(),
        is_ad_hoc: programme.plan_item_id.is_none(),
        proof_rule: definition.proof,
        proof_references: Vec::new(),
        note: String::new(),
        actor_subject: String::new(),
        feedback_score: 0,
        cost_cents: definition.cost_cents,
        act_time: None,
        confirm_time: None,
        steps: Vec::new(),
    };
    let id = touchpoint_id(programme.id, &definition.code, member.household, occurrence.anchor_date);
    let change = touchpoint.clone().planned(now, rules)?;
    Ok((Stored::new(id, estate, touchpoint, now), change))
}
