//! The suggestion box (SV-11 to SV-15).

use jiff::Timestamp;
use jiff::civil::Date;
use prost::Message;
use sqlx::PgConnection;
use steward_kit::auth::ScopedEstate;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, TimerChange};
use uuid::Uuid;

use super::App;
use super::improvement::end_of;
use super::transact::{Call, Follows, Target};
use crate::domain::{Decision, FeedbackItem, NewFeedback};
use crate::events::publish;
use crate::store::summaries::count_topics;

/// Kind of the timer of an item's collation. Its subject is the item.
pub(crate) const COLLATE: &str = "collate";

impl App {
    /// Takes an item in, acknowledges, routes it and sets its clock. One trip. (Every 64th item takes a block of numbers first.)
    pub(crate) async fn submit_feedback<A: Message + Default>(
        &self,
        call: &Call<'_>,
        mut new: NewFeedback,
        answer: impl Fn(&FeedbackItem) -> A + Sync,
    ) -> Result<A> {
        let estate = call.access.scope.estate(new.estate_id)?.id();
        // A customer speaks for themselves; about anybody else they are told nothing.
        let own = call.access.scope.own_customer_id();
        if let (Some(_), Some(other)) = (own, new.customer_id.filter(|given| Some(*given) != own)) {
            return Err(Error::not_found("customer", other));
        }
        let now = self.clock.now();
        if new.receive_time > now {
            return Err(Error::invalid("receive_time", "TIME_NOT_PLAUSIBLE", "must not lie in the future"));
        }
        (new.customer_id, new.estate_id) = (own.or(new.customer_id), estate);
        let (item, follows) = self.received(new, now).await?;
        self.create(call, &item, follows, answer, now).await
    }

    /// An item that came in, and what follows.
    pub(super) async fn received(&self, new: NewFeedback, now: Timestamp) -> Result<(FeedbackItem, Follows)> {
        let rules = self.rules.of(new.estate_id, now).await?;
        let terms = rules.terms("");
        let due = rules.maybe_due(new.receive_time, terms.collation.as_ref())?;
        let number = self.numbers.next(rules.zone.to_datetime(now).year()).await?;
        let role = terms.route(&new.topic).unwrap_or_default().to_owned();
        let item = FeedbackItem::receive(new, number, role, due, now);
        let mut follows = Follows::event(publish::feedback_received(&item, now));
        if let Some(due) = due.filter(|_| item.collate_time.is_none()) {
            follows = follows.and(TimerChange::set(COLLATE, item.id, "", item.estate_id, due));
        }
        Ok((item, follows))
    }

    /// Codes an item; stops its clock. Two trips.
    pub(crate) async fn collate_feedback<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        topic: &str,
        answer: impl Fn(&FeedbackItem) -> A + Sync,
    ) -> Result<A> {
        let decide = |item: &FeedbackItem, now| {
            let stop = TimerChange::cancel(COLLATE, item.id, "");
            Ok((item.collate(topic.to_owned(), now), Follows::nothing().and(stop)))
        };
        self.change(call, target, decide, answer).await
    }

    /// Looks at an item. Two trips.
    pub(crate) async fn assess_feedback<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        role: &str,
        answer: impl Fn(&FeedbackItem) -> A + Sync,
    ) -> Result<A> {
        self.change(call, target, |item: &FeedbackItem, now| Ok((item.assess(role.to_owned(), now)?, Follows::nothing())), answer).await
    }

    /// Decides about an item; the customer is told. Two trips.
    pub(crate) async fn decide_feedback<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        decision: Decision,
        reason: &str,
        answer: impl Fn(&FeedbackItem) -> A + Sync,
    ) -> Result<A> {
        let decide = |item: &FeedbackItem, now| {
            let decided = item.decide(decision, reason.to_owned(), now)?;
            let fact = publish::feedback_decided(&decided, now);
            Ok((decided, Follows::event(fact)))
        };
        self.change(call, target, decide, answer).await
    }

    /// It was done. Two trips.
    pub(crate) async fn complete_feedback<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        reply: &str,
        answer: impl Fn(&FeedbackItem) -> A + Sync,
    ) -> Result<A> {
        let decide = |item: &FeedbackItem, now| {
            let done = item.complete(reply.to_owned(), now)?;
            let fact = publish::feedback_done(&done, now);
            Ok((done, Follows::event(fact)))
        };
        self.change(call, target, decide, answer).await
    }

    /// Items of a period by topic (SV-15). One trip.
    pub(crate) async fn summarise_feedback(&self, estate: ScopedEstate, from: Date, to: Date) -> Result<Vec<(String, i64)>> {
        let zone = self.zone_of(estate.id()).await?;
        let start = from.to_zoned(zone.clone()).map_err(Error::internal)?.timestamp();
        count_topics(self.db.pool(), estate, start, end_of(to, &zone)?).await
    }

    /// The time to collate an item is over, on the transaction of its timer (SV-14).
    pub(crate) async fn miss_collation(&self, tx: &mut PgConnection, item: Uuid, now: Timestamp) -> Result<Effects> {
        // The policy is from memory: no other service is asked while the transaction is open.
        let scope = steward_kit::auth::Scope::system("a collation clock ran out");
        let estate = match <FeedbackItem as crate::store::records::Stored>::load(&mut *tx, &self.cipher, &scope, item).await {
            Ok(item) => item.estate_id,
            Err(Error::NotFound { .. }) => return Ok(Effects::none()),
            Err(error) => return Err(error),
        };
        let roles = self.rules.of(estate, now).await?.terms("").collation_notify_roles;
        self.change_by_timer(tx, item, now, |item: &FeedbackItem| {
            Ok(item.miss_collation(now).map(|missed| {
                let fact = publish::collation_overdue(&missed, roles, now);
                (missed, Follows::event(fact))
            }))
        })
        .await
    }
}
