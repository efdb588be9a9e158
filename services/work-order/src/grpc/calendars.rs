//! The RPCs of `CalendarService`.

use std::sync::Arc;

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::idempotency::RequestKey;
use steward_kit::paging::{PageRequest, PageTokens, Query};
use steward_kit::proto::to_timestamp;
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
        let page: PageRequest<i16> = self.pages.request(&query, request.page_size, &request.page_token)?;
        let mut years = self.app.list_calendar_years().await?;
        years.retain(|year| page.after.is_none_or(|after| year.year > after));
        let page = self.pages.page(&query, page.size, years, |year| year.year)?;
        let calendar_years = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListCalendarYearsResponse { calendar_years, next_page_token: page.next_page_token }))
    }
}

fn encode(view: &YearView) -> pb::CalendarYear {
    let year = view.year.into();
    let Some(announced) = &view.announced else {
        return pb::CalendarYear { year, state: pb::CalendarYearState::NotAnnounced.into(), ..Default::default() };
    };
    pb::CalendarYear {
        year,
        state: pb::CalendarYearState::Announced.into(),
        working_day_count: i32::try_from(announced.working_day_count).unwrap_or(i32::MAX),
        source: if announced.load_time.is_some() { "loaded" } else { "shipped" }.to_owned(),
        load_time: announced.load_time.map(to_timestamp),
        papers: announced.papers.clone(),
    }
}
