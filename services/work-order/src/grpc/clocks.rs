//! The RPCs of `ClockService`.

use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, stream};
use steward_kit::Result;
use steward_kit::calendar::HolidayYear;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_kit_store::calendars::read_hours;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::clock_service_server::ClockService;
use steward_proto::work_order::v1::preview_rules_request::Rules;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::decode::id;
use super::received;
use crate::app::{App, OtherRules, Preview, Seen};
use crate::contract::Code;
use crate::domain::{ClockDifference, Outlook};
use crate::store::{RunningClock, RunningFilter};

/// The service.
pub(crate) struct Clocks {
    app: Arc<App>,
    pages: PageTokens,
    /// Streams end when the process does.
    shutdown: CancellationToken,
}

impl Clocks {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens, shutdown: CancellationToken) -> Self {
        Self { app, pages, shutdown }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ClockService for Clocks {
    async fn list_clock_outlooks(&self, request: Request<pb::ListClockOutlooksRequest>) -> Answer<pb::ListClockOutlooksResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let due_before = bad.optional_timestamp("due_before_time", request.due_before_time.as_ref());
        let estate = bad.build(|| estate)?;
        let clock = (!request.clock.is_empty()).then(|| request.clock.clone());
        let filter = RunningFilter { due_before, clock };
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListClockOutlooks", &request);
        let page = self.pages.request(&query, size, &token)?;
        let outlooks = self.app.list_clock_outlooks(&access, estate, &filter, &page).await?;
        let page = self.pages.page(&query, page.size, outlooks, |(clock, _)| clock.key())?;
        let clock_outlooks = page.rows.iter().map(|(clock, outlook)| encode_outlook(clock, outlook)).collect();
        Ok(Response::new(pb::ListClockOutlooksResponse { clock_outlooks, next_page_token: page.next_page_token }))
    }

    type PreviewRulesStream = Pin<Box<dyn Stream<Item = Result<pb::PreviewRulesResponse, Status>> + Send>>;

    async fn preview_rules(&self, request: Request<pb::PreviewRulesRequest>) -> Answer<Self::PreviewRulesStream> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let since = bad.optional_timestamp("receive_time_from", request.receive_time_from.as_ref());
        let rules = request.rules.as_ref().and_then(|rules| other_rules(&mut bad, rules));
        let (estate, since, rules) = bad.build(|| Some((estate?, since?, rules?)))?;
        let preview = self.app.clone().preview_rules(&access, estate, since, rules).await?;
        Ok(Response::new(answers(preview, self.shutdown.clone())))
    }
}

/// One answer for each batch; a stopping service ends the stream.
fn answers(preview: Preview, shutdown: CancellationToken) -> <Clocks as ClockService>::PreviewRulesStream {
    Box::pin(stream::unfold(Some((preview, shutdown)), |state| async move {
        let (mut preview, shutdown) = state.filter(|(_, shutdown)| !shutdown.is_cancelled())?;
        match preview.next().await {
            Ok(seen) => {
                let answer = encode_preview(seen?);
                Some((Ok(answer), Some((preview, shutdown))))
            }
            Err(error) => Some((Err(Status::from(error)), None)),
        }
    }))
}

fn other_rules(bad: &mut Violations, rules: &Rules) -> Option<OtherRules> {
    match rules {
        Rules::Policy(policy) => {
            bad.required("policy.document", policy.document.clone()).map(|document| OtherRules::Policy(Box::new(document)))
        }
        Rules::CalendarYearJson(document) => match HolidayYear::parse(document) {
            Ok(year) => Some(OtherRules::Year(year)),
            Err(fault) => {
                bad.add("calendar_year_json", "POLICY_INVALID", fault.to_string());
                None
            }
        },
        Rules::WorkingHours(hours) => read_hours(bad, "working_hours", hours).map(|(hours, _)| OtherRules::Hours(hours)),
    }
}

/// A share as thousandths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a u32 holds")]
fn permille(share: f64) -> u32 {
    (share * 1000.0).round().clamp(0.0, f64::from(u32::MAX)) as u32
}

fn encode_outlook(clock: &RunningClock, outlook: &Outlook) -> pb::ClockOutlook {
    let kept = if outlook.comparable == 0 { 0.0 } else { f64::from(outlook.kept) / f64::from(outlook.comparable) };
    let interval = outlook.interval.as_ref();
    pb::ClockOutlook {
        work_order_id: clock.order.to_string(),
        work_order_number: clock.number.clone(),
        work_order_state: clock.state.number(),
        clock: clock.clock.clone(),
        cycle: clock.cycle,
        start_time: Some(to_timestamp(clock.start_time)),
        due_time: Some(to_timestamp(clock.due_time)),
        used_permille: permille(outlook.used),
        outlook: outlook.expectation.number(),
        kept_permille: permille(kept),
        kept_permille_low: permille(interval.map_or(0.0, |interval| interval.low)),
        kept_permille_high: permille(interval.map_or(0.0, |interval| interval.high)),
        comparable_count: outlook.comparable,
        reasons: outlook.obstacles.iter().map(|obstacle| obstacle.number()).collect(),
        assignee: clock.assignee.clone().unwrap_or_default(),
        assignee_order_count: clock.assignee_orders,
    }
}

fn encode_preview(seen: &Seen) -> pb::PreviewRulesResponse {
    pb::PreviewRulesResponse {
        order_count: seen.orders,
        clock_count: seen.clocks,
        moved_count: seen.moved,
        newly_late_count: seen.newly_late,
        no_longer_late_count: seen.no_longer_late,
        added_count: seen.added,
        dropped_count: seen.dropped,
        skipped_order_count: seen.skipped,
        samples: seen.samples.iter().map(|(order, number, difference)| encode_difference(order, number, difference)).collect(),
        done: seen.is_done,
    }
}

fn encode_difference(order: &str, number: &str, difference: &ClockDifference) -> pb::ClockDifference {
    let due = |standing: Option<crate::domain::Standing>| standing.and_then(|standing| standing.due_time).map(to_timestamp);
    let verdict =
        |standing: Option<crate::domain::Standing>| standing.and_then(|standing| standing.verdict).map(Code::number).unwrap_or_default();
    pb::ClockDifference {
        work_order_id: order.to_owned(),
        work_order_number: number.to_owned(),
        clock: difference.clock.clone(),
        cycle: difference.cycle,
        due_time: due(difference.before),
        new_due_time: due(difference.after),
        verdict: verdict(difference.before),
        new_verdict: verdict(difference.after),
    }
}
