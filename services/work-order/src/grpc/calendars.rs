//! The RPCs of `CalendarService`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use steward_kit::Result;
use steward_kit::calendar::RegionKey;
use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::paging::{PageRequest, PageTokens, Query};
use steward_kit::proto::to_timestamp;
use steward_kit_store::calendars::{HoursVersion, NewHours, hours_message, read_hours};
use steward_proto::work_order::v1 as pb;
use steward_proto::work_order::v1::calendar_service_server::CalendarService;
use tonic::{Request, Response, Status};

use super::received;
use crate::app::{App, YearView};

/// The service.
pub(crate) struct Calendars {
    app: Arc<App>,
    pages: PageTokens,
}

impl Calendars {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens) -> Self {
        Self { app, pages }
    }
}

type Answer<T> = Result<Response<T>, Status>;

/// The place of a year in the list: national before regional.
#[derive(Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct YearKey(i16, Option<RegionKey>);

/// The place of working hours in the list.
#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct HoursKey(String, i32, String);

#[tonic::async_trait]
impl CalendarService for Calendars {
    async fn load_calendar_year(&self, request: Request<pb::LoadCalendarYearRequest>) -> Answer<pb::LoadCalendarYearResponse> {
        let (access, request) = received(request)?;
        Violations::of(&request).finish()?;
        let key = RequestKey::of(&access, "LoadCalendarYear", &request, &request.request_id)?;
        let answer = |year: &YearView| pb::LoadCalendarYearResponse { calendar_year: Some(encode(year)) };
        Ok(Response::new(self.app.load_calendar_year(&access, &key, &request.document_json, answer).await?))
    }

    async fn list_calendar_years(&self, request: Request<pb::ListCalendarYearsRequest>) -> Answer<pb::ListCalendarYearsResponse> {
        let (_, request) = received(request)?;
        Violations::of(&request).finish()?;
        let query = Query::of("ListCalendarYears", &pb::ListCalendarYearsRequest::default());
        let page: PageRequest<YearKey> = self.pages.request(&query, request.page_size, &request.page_token)?;
        let place = |year: &YearView| YearKey(year.year, year.region.clone());
        let mut years = self.app.list_calendar_years().await?;
        years.retain(|year| page.after.as_ref().is_none_or(|after| place(year) > *after));
        let page = self.pages.page(&query, page.size, years, place)?;
        let calendar_years = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListCalendarYearsResponse { calendar_years, next_page_token: page.next_page_token }))
    }

    async fn load_working_hours(&self, request: Request<pb::LoadWorkingHoursRequest>) -> Answer<pb::LoadWorkingHoursResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let wanted = bad.required("working_hours", request.working_hours.as_ref());
        let read = wanted.and_then(|hours| read_hours(&mut bad, "working_hours", hours));
        let (hours, scope) = bad.build(|| read)?;
        let key = RequestKey::of(&access, "LoadWorkingHours", &request, &request.request_id)?;
        let answer = |loaded: &HoursVersion| Ok(pb::LoadWorkingHoursResponse { working_hours: Some(hours_message(loaded)?) });
        Ok(Response::new(self.app.load_working_hours(&access, &key, &NewHours { hours, scope }, answer).await?))
    }

    async fn list_working_hours(&self, request: Request<pb::ListWorkingHoursRequest>) -> Answer<pb::ListWorkingHoursResponse> {
        let (_, request) = received(request)?;
        Violations::of(&request).finish()?;
        let query = Query::of("ListWorkingHours", &pb::ListWorkingHoursRequest::default());
        let page: PageRequest<HoursKey> = self.pages.request(&query, request.page_size, &request.page_token)?;
        let hours = self.app.list_working_hours().await?;
        let hours = hours.iter().map(hours_message).collect::<Result<Vec<_>>>()?;
        // From behind the last one shown; if a newer version took its place meanwhile, the place is the same.
        let seen = page.after.and_then(|after| hours.iter().position(|shown| place(shown) == after));
        let rest = hours.into_iter().skip(seen.map_or(0, |seen| seen + 1)).collect();
        let page = self.pages.page(&query, page.size, rest, place)?;
        Ok(Response::new(pb::ListWorkingHoursResponse { working_hours: page.rows, next_page_token: page.next_page_token }))
    }
}

fn place(hours: &pb::WorkingHours) -> HoursKey {
    let scope = hours.scope.as_ref();
    HoursKey(hours.name.clone(), scope.map_or(0, |scope| scope.level), scope.map(|scope| scope.id.clone()).unwrap_or_default())
}

fn encode(view: &YearView) -> pb::CalendarYear {
    let year = view.year.into();
    let region = view.region.as_ref().map(|region| region.as_str().to_owned()).unwrap_or_default();
    let Some(announced) = &view.announced else {
        return pb::CalendarYear { year, region, state: pb::CalendarYearState::NotAnnounced.into(), ..Default::default() };
    };
    pb::CalendarYear {
        year,
        region,
        state: pb::CalendarYearState::Announced.into(),
        working_day_count: i32::try_from(announced.working_day_count).unwrap_or(i32::MAX),
        source: if announced.load_time.is_some() { "loaded" } else { "shipped" }.to_owned(),
        load_time: announced.load_time.map(to_timestamp),
        papers: announced.papers.clone(),
    }
}
