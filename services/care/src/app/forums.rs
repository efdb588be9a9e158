//! Meetings with owners.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::ids::{EstateId, HouseholdId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use uuid::Uuid;

use super::App;
use super::audience::Question;
use super::transact::{Call, Target, or_repeated};
use crate::domain::base::Stored;
use crate::domain::codes::{ForumReply, ForumState};
use crate::domain::draw::choose_mixed;
use crate::domain::forum::{self, Forum, Invitation};
use crate::domain::ids::{ForumId, PlanItemId};
use crate::domain::meeting::{Meeting, Period, periods};
use crate::domain::programme::Condition;
use crate::store::documents::{Place, Table};
use crate::store::forums::forums_between;
use crate::store::touchpoints::midnight;

/// A forum to plan.
#[derive(Debug)]
pub(crate) struct NewForum {
    pub(crate) estate: EstateId,
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) topics: Vec<String>,
    pub(crate) start_time: Timestamp,
    pub(crate) audience: Option<Condition>,
    pub(crate) invite_count: usize,
    pub(crate) seed: String,
    pub(crate) plan_item: Option<PlanItemId>,
}

impl App {
    /// Plans a forum and draws whom to invite. One trip, one for the item of a plan, and as many questions to customer as the audience
    /// has pages.
    pub(crate) async fn create_forum<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewForum,
        answer: impl Fn(&Stored<Forum>) -> R,
    ) -> Result<R> {
        call.access.scope.estate(new.estate)?;
        let now = self.clock.now();
        if new.start_time < now {
            let refusal = Error::invalid("start_time", "TIME_NOT_PLAUSIBLE", "must not lie in the past");
            return self.unless_repeated(call, refusal).await;
        }
        let rules = self.rules.of(new.estate, now).await?;
        let Some(terms) = rules.terms.meetings.get(&new.kind) else {
            let refusal = Error::invalid("kind", "FORUM_INVALID", "must be a kind of meeting that the care policy has");
            return self.unless_repeated(call, refusal).await;
        };
        or_repeated!(self, call, self.known_item(Some(new.estate), new.plan_item).await);
        // Households come and go: whoever is drawn now may not be who was drawn when the request came first.
        let invitations = or_repeated!(self, call, self.draw_invitations(&new).await);
        let forum = Forum {
            kind: new.kind.clone(),
            title: new.title.clone(),
            topics: new.topics.clone(),
            start_time: new.start_time,
            state: ForumState::Planned,
            min_size: terms.least,
            max_size: terms.most,
            invitations,
            required_roles: terms.attendees.clone(),
            attending_roles: Vec::new(),
            warnings: Vec::new(),
            end_time: None,
            minutes_due_time: None,
            minutes_time: None,
            document_reference: String::new(),
            is_late: false,
            plan_item_id: new.plan_item,
        };
        let change = forum::plan(forum.clone());
        self.create(call, Stored::new(ForumId::new(), new.estate, forum, now), change, None, now, answer).await
    }

    /// Representatives, building by building (CA-56).
    async fn draw_invitations(&self, new: &NewForum) -> Result<Vec<Invitation>> {
        if new.invite_count == 0 {
            return Ok(Vec::new());
        }
        let fields = &["unit.building_code"];
        let question = Question { estate: new.estate, condition: new.audience.as_ref(), building: None, exclusions: &[], fields };
        let members = self.audience.members(&question).await?;
        if members.is_empty() {
            return Err(Error::invalid("audience", "AUDIENCE_EMPTY", "no household is in this audience"));
        }
        let customers: BTreeMap<HouseholdId, _> = members.iter().map(|member| (member.household, member.customer)).collect();
        let with_building = members
            .into_iter()
            .map(|member| (member.household, member.facts.get("unit.building_code").cloned().unwrap_or_default()))
            .collect();
        let chosen = choose_mixed(with_building, new.invite_count, new.seed.as_bytes());
        let invitation = |(household_id, building_code): (HouseholdId, String)| Invitation {
            household_id,
            customer_id: customers.get(&household_id).copied().flatten(),
            building_code,
            reply: None,
        };
        Ok(chosen.into_iter().map(invitation).collect())
    }

    /// One forum. One trip.
    pub(crate) async fn forum(&self, access: &Access, id: Uuid) -> Result<Stored<Forum>> {
        Forum::load(&mut *self.conn().await?, &access.scope, id).await?.ok_or_else(|| Error::not_found("forum", id))
    }

    /// A page of an estate's. One trip.
    pub(crate) async fn list_forums(&self, access: &Access, estate: EstateId, page: &PageRequest<Place>) -> Result<Vec<Stored<Forum>>> {
        Forum::list(&mut *self.conn().await?, access.scope.estate(estate)?, &[], page).await
    }

    /// The meetings of a year, held against the care policy (CA-55, CA-60); and the estate's day. One trip.
    pub(crate) async fn meeting_standing(&self, access: &Access, estate: EstateId, year: i16) -> Result<(Vec<Period>, Date)> {
        let scoped = access.scope.estate(estate)?;
        let now = self.clock.now();
        let rules = self.rules.of(estate, now).await?;
        let first = Date::new(year, 1, 1).map_err(Error::internal)?;
        let (from, to) = (midnight(first, &rules.zone)?, midnight(first.saturating_add(1.year()), &rules.zone)?);
        let forums = forums_between(self.db.pool(), scoped, from, to).await?;
        let meetings: Vec<Meeting> = forums.into_iter().map(|(kind, at, is_held)| (kind, rules.date(at), is_held)).collect();
        let mut all = Vec::new();
        for (kind, terms) in &rules.terms.meetings {
            if let Some(every) = terms.every {
                all.extend(periods(kind, every, year, &meetings)?);
            }
        }
        Ok((all, rules.date(now)))
    }

    /// A household replies. Two trips.
    pub(crate) async fn record_forum_reply<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        household: HouseholdId,
        reply: ForumReply,
        answer: impl Fn(&Stored<Forum>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, _| forum::reply(row, household, reply), answer).await
    }

    /// It was held (CA-57). Two trips.
    pub(crate) async fn hold_forum<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        end: Option<Timestamp>,
        roles: Vec<String>,
        answer: impl Fn(&Stored<Forum>) -> R,
    ) -> Result<R> {
        let decide = |row: &Stored<Forum>, rules: &crate::domain::terms::Rules, now| {
            let end = end.unwrap_or(now);
            if end > now {
                return Err(Error::invalid("end_time", "TIME_NOT_PLAUSIBLE", "must not lie in the future"));
            }
            forum::hold(row, end, roles.clone(), rules.terms.meetings.get(&row.value.kind), rules)
        };
        self.change(call, target, decide, answer).await
    }

    /// The minutes go out. Two trips.
    pub(crate) async fn publish_forum_minutes<R: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        reference: &str,
        answer: impl Fn(&Stored<Forum>) -> R,
    ) -> Result<R> {
        self.change(call, target, |row, _, now| forum::publish(row, reference, now), answer).await
    }
}
