//! The RPCs of `ServicePackageService`.

use steward_kit::calendar::Span;
use steward_kit::error::Violations;
use steward_kit::proto::{to_date, to_span, to_timestamp};
use steward_proto::care::v1 as pb;
use steward_proto::care::v1::service_package_service_server::ServicePackageService;
use steward_proto::common::v1 as common;
use tonic::{Request, Response};
use uuid::Uuid;

use super::request::{call, id, page, received, target, text};
use super::{Answer, Edge};
use crate::app::{NewEnrolment, NewUse};
use crate::contract::{Code, optional};
use crate::domain::base::Stored;
use crate::domain::enrolment::Enrolment;
use crate::domain::service_package::{Item, Package};
use crate::store::documents::Place;
use crate::store::enrolments::Use;

#[tonic::async_trait]
impl ServicePackageService for Edge {
    async fn put_service_package(&self, request: Request<pb::PutServicePackageRequest>) -> Answer<pb::PutServicePackageResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "PutServicePackage", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        // The estate stands where a target has its id; what is meant is the etag.
        let target = target(&mut bad, "estate_id", &request.estate_id, &request.etag);
        let estate = bad.id("estate_id", &request.estate_id);
        let items = request.items.iter().enumerate();
        let items: Vec<Item> = items.map(|(at, one)| item(one, &format!("items[{at}]"), &mut bad)).collect();
        let (target, estate) = bad.build(|| Some((target?, estate?)))?;
        let package = Package {
            code: request.code,
            name_zh: request.name_zh,
            name_en: request.name_en,
            items,
            month_price_cents: request.month_price_cents,
            term_months: request.term_months,
            is_a_la_carte: request.is_a_la_carte,
            offer_time: self.app.clock.now(),
        };
        let answer = |row: &Stored<Package>| pb::PutServicePackageResponse { service_package: Some(encode(row)) };
        Ok(Response::new(self.app.put_service_package(&call, estate, target.etag, package, answer).await?))
    }

    async fn get_service_package(&self, request: Request<pb::GetServicePackageRequest>) -> Answer<pb::GetServicePackageResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "service_package_id", &request.service_package_id);
        let row = self.app.service_package(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetServicePackageResponse { service_package: Some(encode(&row)) }))
    }

    async fn list_service_packages(&self, request: Request<pb::ListServicePackagesRequest>) -> Answer<pb::ListServicePackagesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let (app, estate) = (&self.app, bad.build(|| estate)?);
        let page = page!(self, "ListServicePackages", request, |page| app.list_service_packages(&access, estate, &page), Place::of);
        let service_packages = page.rows.iter().map(encode).collect();
        Ok(Response::new(pb::ListServicePackagesResponse { service_packages, next_page_token: page.next_page_token }))
    }

    async fn enrol(&self, request: Request<pb::EnrolRequest>) -> Answer<pb::EnrolResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "Enrol", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let package = id(&mut bad, "service_package_id", &request.service_package_id);
        let household = bad.id("household_id", &request.household_id);
        let start_date = bad.date("start_date", &request.start_date);
        let item_codes = request.item_codes;
        let new = bad.build(|| Some(NewEnrolment { package: package?, household: household?, item_codes, start_date: start_date? }))?;
        let answer = |row: &Stored<Enrolment>| pb::EnrolResponse { enrolment: Some(encode_enrolment(row)) };
        Ok(Response::new(self.app.enrol(&call, new, answer).await?))
    }

    async fn cancel_enrolment(&self, request: Request<pb::CancelEnrolmentRequest>) -> Answer<pb::CancelEnrolmentResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CancelEnrolment", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "enrolment_id", &request.enrolment_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer = |row: &Stored<Enrolment>| pb::CancelEnrolmentResponse { enrolment: Some(encode_enrolment(row)) };
        Ok(Response::new(self.app.cancel_enrolment(&call, target, answer).await?))
    }

    async fn get_enrolment(&self, request: Request<pb::GetEnrolmentRequest>) -> Answer<pb::GetEnrolmentResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let id = id(&mut bad, "enrolment_id", &request.enrolment_id);
        let row = self.app.enrolment(&access, bad.build(|| id)?).await?;
        Ok(Response::new(pb::GetEnrolmentResponse { enrolment: Some(encode_enrolment(&row)) }))
    }

    async fn list_enrolments(&self, request: Request<pb::ListEnrolmentsRequest>) -> Answer<pb::ListEnrolmentsResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let household = bad.optional_id("household_id", &request.household_id);
        let (app, estate) = (&self.app, bad.build(|| estate)?);
        let page = page!(self, "ListEnrolments", request, |page| app.list_enrolments(&access, estate, household, &page), Place::of);
        let enrolments = page.rows.iter().map(encode_enrolment).collect();
        Ok(Response::new(pb::ListEnrolmentsResponse { enrolments, next_page_token: page.next_page_token }))
    }

    async fn record_package_use(&self, request: Request<pb::RecordPackageUseRequest>) -> Answer<pb::RecordPackageUseResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "RecordPackageUse", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let enrolment = id(&mut bad, "enrolment_id", &request.enrolment_id);
        let use_date = bad.date("use_date", &request.use_date);
        let (item_code, quantity) = (request.item_code, request.quantity);
        let new = bad.build(|| Some(NewUse { enrolment: enrolment?, item_code, quantity, use_date: use_date? }))?;
        let answer = |row: &Use| pb::RecordPackageUseResponse { package_use: Some(encode_use(row)) };
        let answered = |stored: &pb::RecordPackageUseResponse| Uuid::try_parse(&stored.package_use.as_ref()?.id).ok();
        Ok(Response::new(self.app.record_package_use(&call, new, answer, answered).await?))
    }

    async fn list_package_uses(&self, request: Request<pb::ListPackageUsesRequest>) -> Answer<pb::ListPackageUsesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let enrolment = id(&mut bad, "enrolment_id", &request.enrolment_id);
        let (app, enrolment) = (&self.app, bad.build(|| enrolment)?);
        let place = |row: &Use| row.id;
        let page = page!(self, "ListPackageUses", request, |page| app.list_package_uses(&access, enrolment, &page), place);
        let package_uses = page.rows.iter().map(encode_use).collect();
        Ok(Response::new(pb::ListPackageUsesResponse { package_uses, next_page_token: page.next_page_token }))
    }
}

fn span(of: Option<&common::Span>, at: String, bad: &mut Violations) -> Option<Span> {
    match steward_kit::proto::span(of?) {
        Ok(span) => Some(span),
        Err(error) => {
            bad.add(at, "DURATION_WITHOUT_CALENDAR", error.to_string());
            None
        }
    }
}

fn item(one: &pb::PackageItem, at: &str, bad: &mut Violations) -> Item {
    Item {
        code: one.code.clone(),
        name_zh: one.name_zh.clone(),
        name_en: one.name_en.clone(),
        every: optional(bad, &format!("{at}.every"), one.every),
        times: one.times,
        role: one.role.clone(),
        booking_lead: span(one.booking_lead.as_ref(), format!("{at}.booking_lead"), bad),
        unit_code: one.unit_code.clone(),
        free_quantity: one.free_quantity,
        overage_price_cents: one.overage_price_cents,
        overage_block: one.overage_block,
        month_price_cents: one.month_price_cents,
        keep_within: span(one.keep_within.as_ref(), format!("{at}.keep_within"), bad),
    }
}

fn encode_item(one: &Item) -> pb::PackageItem {
    pb::PackageItem {
        code: one.code.clone(),
        name_zh: one.name_zh.clone(),
        name_en: one.name_en.clone(),
        every: one.every.map_or(0, Code::number),
        times: one.times,
        role: one.role.clone(),
        booking_lead: one.booking_lead.as_ref().map(to_span),
        unit_code: one.unit_code.clone(),
        free_quantity: one.free_quantity,
        overage_price_cents: one.overage_price_cents,
        overage_block: one.overage_block,
        month_price_cents: one.month_price_cents,
        keep_within: one.keep_within.as_ref().map(to_span),
    }
}

fn encode(row: &Stored<Package>) -> pb::ServicePackage {
    let one = &row.value;
    pb::ServicePackage {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        code: one.code.clone(),
        name_zh: one.name_zh.clone(),
        name_en: one.name_en.clone(),
        items: one.items.iter().map(encode_item).collect(),
        month_price_cents: one.month_price_cents,
        term_months: one.term_months,
        is_a_la_carte: one.is_a_la_carte,
        etag: row.row_version.to_string(),
        create_time: Some(to_timestamp(row.create_time)),
    }
}

fn encode_enrolment(row: &Stored<Enrolment>) -> pb::Enrolment {
    let one = &row.value;
    pb::Enrolment {
        id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        service_package_id: one.package_id.to_string(),
        package_code: one.package_code.clone(),
        household_id: one.household_id.to_string(),
        unit_id: one.unit_id.to_string(),
        customer_id: text(one.customer_id),
        items: one.items.iter().map(encode_item).collect(),
        month_price_cents: one.month_price_cents,
        state: one.state.number(),
        start_date: to_date(one.start_date),
        end_date: one.end_date.map(to_date).unwrap_or_default(),
        term_end_date: to_date(one.term_end_date),
        planned_count: i32::try_from(one.tasks.len()).unwrap_or(i32::MAX),
        etag: row.row_version.to_string(),
        create_time: Some(to_timestamp(row.create_time)),
    }
}

fn encode_use(row: &Use) -> pb::PackageUse {
    pb::PackageUse {
        id: row.id.to_string(),
        enrolment_id: row.enrolment_id.to_string(),
        estate_id: row.estate_id.to_string(),
        item_code: row.item_code.clone(),
        use_date: to_date(row.use_date),
        quantity: row.quantity,
        free_quantity: row.free_quantity,
        charged_quantity: row.quantity - row.free_quantity,
        charge_cents: row.charge_cents,
        month_quantity: row.month_quantity,
        create_time: Some(to_timestamp(row.create_time)),
    }
}
