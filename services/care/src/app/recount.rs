//! A calendar was loaded, or loaded again: what an estate counts in working days or working hours is counted anew, so that every promise
//! stands where the official year puts it (XC-20). Whatever is written twice is the same: a crash costs a page.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, TimerChange, store_error};
use uuid::Uuid;

use super::App;
use super::wakes::Work;
use crate::domain::base::{Stored, TimerKind};
use crate::domain::forum::Forum;
use crate::domain::obligation::Obligation;
use crate::domain::occurrence::shifted;
use crate::domain::programme::Programme;
use crate::domain::round::Round;
use crate::domain::terms::{Rules, counts_working_days};
use crate::domain::touchpoint::Touchpoint;
use crate::domain::visit::Visit;
use crate::store::programmes::load_running;
use crate::store::recount;

impl App {
    /// A calendar came in: each estate has a timer that counts anew, once this is committed. One trip.
    pub(crate) async fn hear_calendar(
        &self,
        tx: &mut PgConnection,
        event: &steward_proto::event::v1::Event,
        now: Timestamp,
    ) -> Result<Effects> {
        self.rules.calendars.hear(tx, event).await?;
        let estates = self.rules.estates.all().await?;
        let timer = |estate: EstateId| TimerChange::set(TimerKind::CalendarRecount.as_str(), estate, "", estate, now);
        Ok(Effects { timers: estates.iter().map(|estate| timer(estate.id)).collect(), ..Effects::none() })
    }

    /// Counts an estate anew. A page of five hundred rows is one read and one write.
    pub(crate) async fn recount(&self, estate: EstateId) -> Result<()> {
        // It may have been loaded by another replica a moment ago.
        self.rules.calendars.refresh().await?;
        let now = self.clock.now();
        self.recount_touchpoints(estate, now).await?;
        self.recount_visits(estate, now).await?;
        macro_rules! pages {
            ($page:expr, $type:ty, $decide:expr) => {{
                let mut after = None;
                loop {
                    let ids = $page(self.db.pool(), estate, after).await?;
                    let Some(last) = ids.last() else { break };
                    after = Some(*last);
                    self.settle_all::<$type>(&ids, now, $decide).await?;
                }
            }};
        }
        pages!(recount::rounds, Round, |row, rules| row.value.recounted(now, rules));
        pages!(recount::forums, Forum, |row, rules| row.value.recounted(now, rules));
        pages!(recount::obligations, Obligation, |row: &Stored<Obligation>, rules: &Rules| {
            let of_row =
                |terms: &&crate::domain::terms::ObligationTerms| terms.code == row.value.code && terms.anchor == row.value.anchor_kind;
            match rules.terms.obligations.iter().find(of_row) {
                Some(terms) => row.value.recounted(terms, now, rules),
                None => Ok(None),
            }
        });
        // Asked for again meanwhile: that comes next.
        if self.wakes.has(Work::Recount(estate.as_uuid())) {
            return Ok(());
        }
        let done = TimerChange::cancel(TimerKind::CalendarRecount.as_str(), estate, "");
        let effects = Effects { timers: vec![done], ..Effects::none() };
        let mut tx = self.db.begin().await?;
        effects.write(&self.db, &mut tx, now).await?;
        tx.commit().await.map_err(store_error)
    }

    async fn recount_touchpoints(&self, estate: EstateId, now: Timestamp) -> Result<()> {
        let programmes: BTreeMap<Uuid, Programme> =
            load_running(self.db.pool(), estate).await?.into_iter().map(|programme| (programme.id.as_uuid(), programme)).collect();
        let mut after = None;
        loop {
            let ids = recount::touchpoints(self.db.pool(), estate, after).await?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = Some(*last);
            self.settle_all::<Touchpoint>(&ids, now, |row, rules| {
                let programme = row.value.programme_id.and_then(|id| programmes.get(&id.as_uuid()));
                row.value.recounted(due_of(&row.value, programme, rules)?, now, rules)
            })
            .await?;
        }
    }

    async fn recount_visits(&self, estate: EstateId, now: Timestamp) -> Result<()> {
        let mut after = None;
        loop {
            let rounds: BTreeMap<Uuid, Round> = recount::visits(self.db.pool(), estate, after).await?.into_iter().collect();
            let ids: Vec<Uuid> = rounds.keys().copied().collect();
            let Some(last) = ids.last() else { return Ok(()) };
            after = Some(*last);
            self.settle_all::<Visit>(&ids, now, |row, rules| {
                rounds.get(&row.id).map_or(Ok(None), |round| row.value.recounted(round, now, rules))
            })
            .await?;
        }
    }
}

/// When a touchpoint is due by its definition, where that counts working days.
fn due_of(touchpoint: &Touchpoint, programme: Option<&Programme>, rules: &Rules) -> Result<Option<Timestamp>> {
    let definition = programme.and_then(|programme| programme.definition(&touchpoint.definition_code));
    let Some(definition) = definition.filter(|one| one.offset.as_ref().is_some_and(|(_, span)| counts_working_days(span))) else {
        return Ok(None);
    };
    let day = shifted(definition, touchpoint.anchor_date, rules)?;
    rules.at(day, touchpoint.local_time).map(Some).map_err(|_| Error::bug("a day without its time"))
}
