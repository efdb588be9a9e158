//! Reports that are owed by a day of the year (SV-32). Which there must be follows from policy and calendar alone, so every
//! replica comes to the same ids and the row decides who made it.

use jiff::Timestamp;
use prost::Message;
use steward_kit::auth::Scope;
use steward_kit::paging::{PageRequest, PageSize};
use steward_kit::{Error, Result};
use steward_kit_store::estates::Estate;
use steward_kit_store::{Effects, constraint, store_error};

use super::App;
use super::improvement::end_of;
use super::transact::{Call, Follows, Target};
use crate::domain::codes::{PlanState, ReportState};
use crate::domain::{ImprovementPlan, OverdueMeasure, Report, ReportTerm, draft_instant};
use crate::events::publish;
use crate::store::records::{RecordFilter, RecordKey, Stored};
use crate::store::summaries::{list_closed_waves, list_present_reports};

impl App {
    /// Hands a report in. Two trips.
    pub(crate) async fn submit_report<A: Message + Default>(
        &self,
        call: &Call<'_>,
        target: Target,
        document_ref: &str,
        answer: impl Fn(&Report) -> A + Sync,
    ) -> Result<A> {
        self.change(call, target, |report: &Report, now| Ok((report.submit(document_ref.to_owned(), now)?, Follows::nothing())), answer)
            .await
    }

    /// Makes the drafts whose day has come, for every estate.
    pub(crate) async fn draft_reports(&self) -> Result<()> {
        let now = self.clock.now();
        for estate in self.rules.estates.all().await? {
            let rules = self.rules.of(estate.id, now).await?;
            let year = rules.zone.to_datetime(now).year();
            for term in &rules.terms("").reports {
                let Some(draft_time) = draft_instant(year, term.month, term.day, &rules.zone) else { continue };
                let id = Report::id_of(estate.id, term.kind, year);
                if draft_time > now || !list_present_reports(self.db.pool(), &[id.as_uuid()]).await?.is_empty() {
                    continue;
                }
                self.draft_report(&estate, term, year, draft_time, rules.due(draft_time, &term.due)?, now).await?;
            }
        }
        Ok(())
    }

    async fn draft_report(
        &self,
        estate: &Estate,
        term: &ReportTerm,
        year: i16,
        draft: Timestamp,
        due: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let zone = estate.zone()?;
        let period = Report::period_of(term.kind, year);
        let from = period.0.to_zoned(zone.clone()).map_err(Error::internal)?.timestamp();
        let waves = list_closed_waves(self.db.pool(), estate.id, from, end_of(period.1, &zone)?).await?;
        let today = zone.to_datetime(now).date();
        let report = Report {
            id: Report::id_of(estate.id, term.kind, year),
            estate_id: estate.id,
            kind: term.kind,
            period,
            state: ReportState::Draft,
            due_time: due,
            submit_time: None,
            document_ref: String::new(),
            wave_ids: waves.into_iter().map(Into::into).collect(),
            overdue_measures: self.overdue_measures(estate, today).await?,
            create_time: draft,
            update_time: now,
            row_version: 1,
        };
        let effects = Effects { events: vec![publish::report_due(&report, now)], ..Effects::none() };
        let mut db = self.connection().await?;
        match report.insert(&mut db, &self.cipher, &effects, now).await? {
            Ok(()) => self.db.wake(&effects),
            // Another replica was faster.
            Err(error) if constraint(&error) == Some("reports_pkey") => {}
            Err(error) => return Err(store_error(error)),
        }
        Ok(())
    }

    /// Measures of an estate's plans that are late on a day (SV-33).
    async fn overdue_measures(&self, estate: &Estate, today: jiff::civil::Date) -> Result<Vec<OverdueMeasure>> {
        let scope = Scope::system("a report is drafted");
        let filter = RecordFilter { state: Some(PlanState::Submitted.as_str()), parent: None };
        let page: PageRequest<RecordKey> = PageRequest { size: PageSize::of(200)?, after: None };
        let plans = ImprovementPlan::list(self.db.pool(), &self.cipher, &scope, scope.estate(estate.id)?, filter, &page).await?;
        let late = plans.iter().flat_map(|plan| {
            plan.measures.iter().filter(|measure| measure.done_date.is_none() && measure.is_overdue(today)).map(|measure| OverdueMeasure {
                plan_id: plan.id,
                code: measure.code.clone(),
                due_date: measure.due_date,
            })
        });
        Ok(late.collect())
    }
}
