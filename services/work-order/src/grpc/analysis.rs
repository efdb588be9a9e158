//! The RPCs of `AnalysisService`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::civil::Date;
use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::metric::{Period, wire};
use steward_kit::paging::{PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_proto::metric::v1::MetricPeriod;
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::analysis_service_server::AnalysisService;
use tonic::{Request, Response, Status};

use super::decode::id;
use super::received;
use crate::app::{App, CallbackReport, Demand, month};
use crate::contract::{Code, required};
use crate::domain::Kind;
use crate::domain::analysis::{CaseSlice, Dimension, Group, Hotspot, HotspotRule};
use crate::store::{CaseEntry, CaseEntryKey};

/// Days of a period, at most.
const MOST_DAYS: i32 = 400;
/// Cells of an answer, at most.
const MOST_CELLS: usize = 10_000;

/// The service.
pub(crate) struct Analysis {
    app: Arc<App>,
    pages: PageTokens,
}

impl Analysis {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AnalysisService for Analysis {
    async fn count_cases(&self, request: Request<pb::CountCasesRequest>) -> Answer<pb::CountCasesResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estates = bad.ids::<EstateId>("estate_ids", &request.estate_ids);
        let period = period(&mut bad, request.period.as_ref());
        let slice = slice(&mut bad, request.slice.as_ref());
        let numbered = request.dimensions.iter().enumerate();
        let dimensions: Vec<Option<Dimension>> =
            numbered.map(|(index, number)| required(&mut bad, &format!("dimensions[{index}]"), *number)).collect();
        let (period, slice, dimensions) = bad.build(|| Some((period?, slice?, dimensions.into_iter().collect::<Option<Vec<_>>>()?)))?;
        let groups = self.app.count_case_cells(&access, &estates, period, &slice, &dimensions).await?;
        let (total, is_cut) = (groups.values().sum(), groups.len() > MOST_CELLS);
        let cells = groups.into_iter().take(MOST_CELLS).map(|(group, cases)| cell(group, cases)).collect();
        Ok(Response::new(pb::CountCasesResponse { cells, total, is_cut }))
    }

    async fn list_cases(&self, request: Request<pb::ListCasesRequest>) -> Answer<pb::ListCasesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let period = period(&mut bad, request.period.as_ref());
        let slice = slice(&mut bad, request.slice.as_ref());
        let (estate, period, slice) = bad.build(|| Some((estate?, period?, slice?)))?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListCases", &request);
        let page = self.pages.request(&query, size, &token)?;
        let cases = self.app.list_cases(&access, estate, period, &slice, &page).await?;
        let page = self.pages.page(&query, page.size, cases, CaseEntryKey::of)?;
        Ok(Response::new(pb::ListCasesResponse {
            cases: page.rows.into_iter().map(entry).collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn find_hotspots(&self, request: Request<pb::FindHotspotsRequest>) -> Answer<pb::FindHotspotsResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let found = self.app.find_hotspots(&access, estate).await?;
        Ok(Response::new(pb::FindHotspotsResponse { hotspots: found.into_iter().map(|(rule, spot)| hotspot(&rule, spot)).collect() }))
    }

    async fn forecast_demand(&self, request: Request<pb::ForecastDemandRequest>) -> Answer<pb::ForecastDemandResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estates = bad.ids::<EstateId>("estate_ids", &request.estate_ids);
        let kinds = kinds(&mut bad, "kinds", &request.kinds);
        let first = first_of(&mut bad, &request.month);
        let (kinds, first) = bad.build(|| Some((kinds?, first?)))?;
        let categories = Some(request.category).filter(|category| !category.is_empty()).into_iter().collect();
        let slice = CaseSlice { kinds, categories, ..CaseSlice::default() };
        Ok(Response::new(demand(self.app.forecast_demand(&access, &estates, &slice, first).await?)))
    }

    async fn get_callback_report(&self, request: Request<pb::GetCallbackReportRequest>) -> Answer<pb::GetCallbackReportResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate: Option<EstateId> = id(&mut bad, "estate_id", &request.estate_id);
        let first = first_of(&mut bad, &request.month);
        let (estate, first) = bad.build(|| Some((estate?, first?)))?;
        let found = self.app.callback_report(&access, estate, first).await?;
        Ok(Response::new(pb::GetCallbackReportResponse { report: Some(report(estate, first, found)) }))
    }
}

fn period(bad: &mut Violations, message: Option<&MetricPeriod>) -> Option<Period> {
    let period = wire::period(bad, message)?;
    if period.to.since(period.from).map_or(i32::MAX, |span| span.get_days()) >= MOST_DAYS {
        bad.add("period.to_date", "PERIOD_TOO_LONG", format!("must be less than {MOST_DAYS} days after the first"));
        return None;
    }
    Some(period)
}

fn first_of(bad: &mut Violations, month: &str) -> Option<Date> {
    let read = format!("{month}-01").parse();
    if read.is_err() {
        bad.add("month", "date", "must be a month written YYYY-MM");
    }
    read.ok()
}

fn kinds(bad: &mut Violations, field: &str, numbers: &[i32]) -> Option<Vec<Kind>> {
    let read: Vec<Option<Kind>> =
        numbers.iter().enumerate().map(|(index, number)| required(bad, &format!("{field}[{index}]"), *number)).collect();
    read.into_iter().collect()
}

fn slice(bad: &mut Violations, message: Option<&pb::CaseSlice>) -> Option<CaseSlice> {
    let Some(message) = message else { return Some(CaseSlice::default()) };
    let kinds = kinds(bad, "slice.kinds", &message.kinds);
    let channels: Vec<_> =
        message.channels.iter().enumerate().map(|(index, number)| required(bad, &format!("slice.channels[{index}]"), *number)).collect();
    let hours = within(bad, "slice.hours", &message.hours, 0..=23);
    let weekdays = within(bad, "slice.weekdays", &message.weekdays, 1..=7);
    Some(CaseSlice {
        kinds: kinds?,
        categories: message.categories.clone(),
        hours: hours?,
        weekdays: weekdays?,
        buildings: message.buildings.clone(),
        channels: channels.into_iter().collect::<Option<_>>()?,
    })
}

/// Small numbers that lie in a range; each that does not is noted.
fn within(bad: &mut Violations, field: &str, numbers: &[u32], range: RangeInclusive<u8>) -> Option<Vec<u8>> {
    let read = numbers.iter().enumerate().map(|(index, number)| {
        let small = u8::try_from(*number).ok().filter(|number| range.contains(number));
        if small.is_none() {
            bad.add(format!("{field}[{index}]"), "uint32.in", format!("must be {} to {}", range.start(), range.end()));
        }
        small
    });
    let read: Vec<Option<u8>> = read.collect();
    read.into_iter().collect()
}

fn cell(group: Group, cases: i64) -> pb::CaseCell {
    pb::CaseCell {
        estate_id: group.estate.map(|estate| estate.to_string()).unwrap_or_default(),
        kind: group.kind.map(Code::number).unwrap_or_default(),
        category: group.category.unwrap_or_default(),
        hour: group.hour.map(u32::from).unwrap_or_default(),
        weekday: group.weekday.map(u32::from).unwrap_or_default(),
        building_code: group.building.unwrap_or_default(),
        channel: group.channel.map(Code::number).unwrap_or_default(),
        cases,
    }
}

fn entry(case: CaseEntry) -> pb::CaseEntry {
    pb::CaseEntry {
        work_order_id: case.order.to_string(),
        number: case.number,
        kind: case.kind.number(),
        category: case.category,
        channel: case.channel.number(),
        occur_time: Some(to_timestamp(case.occur_time)),
        unit_id: case.unit.map(|unit| unit.to_string()).unwrap_or_default(),
        building_code: case.building,
    }
}

fn hotspot(rule: &HotspotRule, spot: Hotspot) -> pb::Hotspot {
    pb::Hotspot {
        rule: rule.code.clone(),
        share_ppm: spot.share_ppm(),
        category: spot.category,
        building_code: spot.building,
        cases: spot.cases,
        all_cases: spot.all_cases,
        usual_share_ppm: spot.usual_share_ppm,
        z_score_milli: spot.z_score_milli,
        usual_cases_milli: spot.usual_cases_milli,
    }
}

fn demand(found: Demand) -> pb::ForecastDemandResponse {
    let count = |workers: i64| u32::try_from(workers).unwrap_or_default();
    pb::ForecastDemandResponse {
        expected: found.forecast.expected,
        lowest: found.forecast.lowest,
        highest: found.forecast.highest,
        usual_milli: found.forecast.usual_milli,
        uplift_ppm: found.forecast.uplift_ppm,
        history: found.history.into_iter().map(|(first, cases)| pb::MonthCount { month: month(first), cases }).collect(),
        workers: count(found.workers),
        workers_needed: count(found.workers_needed),
    }
}

fn report(estate: EstateId, first: Date, found: CallbackReport) -> pb::CallbackReport {
    let callbacks = found.callbacks;
    pb::CallbackReport {
        estate_id: estate.to_string(),
        month: month(first),
        due: callbacks.reached_in_time + callbacks.reached_late + callbacks.exhausted_in_time + callbacks.exhausted_late + callbacks.missed,
        reached_in_time: callbacks.reached_in_time,
        reached_late: callbacks.reached_late,
        unreachable: callbacks.exhausted_in_time + callbacks.exhausted_late,
        missed: callbacks.missed,
        scores: found.scores,
        issues: found.issues.into_iter().map(|(category, cases)| pb::CallbackIssue { category, cases }).collect(),
    }
}
