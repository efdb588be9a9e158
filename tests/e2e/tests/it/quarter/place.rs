//! An estate of the quarter: its plan, its people, its register.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use futures::future::BoxFuture;
use steward_harness::{Claims, Issuer};
use steward_proto::{
    customer::v1::{
        ApplyEstateImportRequest, CreateCustomerRequest, CreateEstateImportRequest, CustomerKind, EstateImport, EstateImportState,
        GetEstateImportRequest, ListHouseholdsRequest, PremisesType, RegisterEstateRequest, UploadEstateImportRequest,
        customer_service_client::CustomerServiceClient, estate_import_service_client::EstateImportServiceClient,
        estate_service_client::EstateServiceClient, household_service_client::HouseholdServiceClient,
    },
    gateway::v1::{AppliedState, ApplyServicePlanRequest, plan_service_client::PlanServiceClient},
    plan::v1::{PolicyScope, PolicyScopeLevel},
};
use tonic::{Code, Request, Status, transport::Channel};

use super::register;

/// An estate under one plan.
pub(super) struct Place {
    pub(super) plan: &'static str,
    pub(super) id: String,
    pub(super) gateway: Channel,
    /// The homes, by their place in the register.
    pub(super) homes: Vec<Home>,
    tokens: BTreeMap<&'static str, String>,
    technician: String,
}

/// A home and whom to turn to there.
#[derive(Debug, Clone, Default)]
pub(super) struct Home {
    pub(super) unit_id: String,
    pub(super) household_id: String,
    pub(super) customer_id: String,
}

/// Somebody of the staff, by role.
pub(super) const STAFF: [(&str, &str); 5] = [
    ("manager", "estate_manager"),
    ("desk", "customer_service"),
    ("dispatcher", "dispatcher"),
    ("technician", "technician"),
    ("steward", "steward"),
];

pub(super) fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A call by the bearer of a token.
pub(super) fn asks<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a token is ASCII"));
    request
}

/// A token of group operations.
pub(super) fn operations() -> Result<String> {
    Issuer::of_tests().mint(&Claims::staff("ops.lin").role("group_operations").every_estate())
}

/// Asks again until the answer is there.
pub(super) async fn until<'a, T>(what: &str, mut question: impl FnMut() -> BoxFuture<'a, Result<Option<T>>>) -> Result<T> {
    let begun = std::time::Instant::now();
    loop {
        if let Some(answer) = question().await? {
            return Ok(answer);
        }
        ensure!(begun.elapsed().as_secs() < 30, "{what}: not there");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Puts a plan's documents where they belong; waits for a new estate to be known everywhere.
pub(super) async fn apply(gateway: &Channel, plan: &str, scope: PolicyScope) -> Result<()> {
    let token = operations()?;
    let request =
        ApplyServicePlanRequest { request_id: id(), plan_code: plan.to_owned(), scope: Some(scope), ..ApplyServicePlanRequest::default() };
    let documents = until("the estate in every service", || {
        let (mut plans, request) = (PlanServiceClient::new(gateway.clone()), asks(&token, request.clone()));
        Box::pin(async move { unless_unknown(plans.apply_service_plan(request).await.map(|answer| answer.into_inner().documents)) })
    })
    .await?;
    ensure!(documents.iter().all(|document| document.state() == AppliedState::Applied), "{plan}: {documents:?}");
    Ok(())
}

/// What is not heard of yet is waited for.
pub(super) fn unless_unknown<T>(answer: Result<T, Status>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status.into()),
    }
}

impl Place {
    /// Registers an estate, puts it under a plan and imports its register.
    pub(super) async fn found(gateway: Channel, plan: &'static str, number: usize) -> Result<Self> {
        let request = RegisterEstateRequest {
            request_id: id(),
            group_id: id(),
            region_id: id(),
            name: format!("锦绣花园 {number}"),
            code: format!("Q-{number}"),
            city_code: "330100".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            premises_type: PremisesType::Residential.into(),
        };
        let answer = EstateServiceClient::new(gateway.clone()).register_estate(asks(&operations()?, request)).await?.into_inner();
        let estate = answer.estate.context("an estate")?.id;
        apply(&gateway, plan, PolicyScope { level: PolicyScopeLevel::Estate.into(), id: estate.clone() }).await?;
        let mint = |(name, role): (&'static str, &'static str)| {
            let claims = Claims::staff(&format!("{name}.{number}")).role(role).estate(&estate);
            Ok((name, Issuer::of_tests().mint(&claims)?))
        };
        let tokens = STAFF.into_iter().map(mint).collect::<Result<_>>()?;
        let mut place = Self { plan, id: estate, gateway, homes: Vec::new(), tokens, technician: format!("technician.{number}") };
        place.import(number).await?;
        Ok(place)
    }

    /// A call by somebody of the staff.
    pub(super) fn by<T>(&self, who: &str, message: T) -> Request<T> {
        asks(&self.tokens[who], message)
    }

    /// Whom the work is given to.
    pub(super) fn technician(&self) -> String {
        self.technician.clone()
    }

    /// A call by whoever lives in a home.
    pub(super) fn by_resident<T>(&self, home: &Home, message: T) -> Result<Request<T>> {
        let claims = Claims::customer(&format!("resident.{}", home.customer_id), &home.customer_id).role("resident").estate(&self.id);
        Ok(asks(&Issuer::of_tests().mint(&claims)?, message))
    }

    async fn import(&mut self, number: usize) -> Result<()> {
        let mut imports = EstateImportServiceClient::new(self.gateway.clone());
        let bytes = register::csv(number).into_bytes();
        let create = CreateEstateImportRequest {
            request_id: id(),
            estate_id: self.id.clone(),
            file_name: "register.csv".to_owned(),
            size_bytes: i64::try_from(bytes.len())?,
            sha256: hex(digest(&SHA256, &bytes).as_ref()),
        };
        let import_id = imports.create_estate_import(self.by("manager", create)).await?.into_inner().import.context("an import")?.id;
        let part = UploadEstateImportRequest { import_id: import_id.clone(), offset: 0, data: bytes.into() };
        imports.upload_estate_import(self.by("manager", tokio_stream::iter([part]))).await?;
        let planned = self.import_in(&import_id, EstateImportState::Planned).await?;
        let refused = planned.progress.map_or(0, |progress| progress.refused_count);
        ensure!(refused == 0, "{refused} rows of the register were refused");
        let apply = ApplyEstateImportRequest { request_id: id(), import_id: import_id.clone(), etag: planned.etag };
        imports.apply_estate_import(self.by("manager", apply)).await?;
        self.import_in(&import_id, EstateImportState::Applied).await?;

        let list = ListHouseholdsRequest { estate_id: self.id.clone(), page_size: 200, ..ListHouseholdsRequest::default() };
        let listed = HouseholdServiceClient::new(self.gateway.clone()).list_households(self.by("manager", list)).await?.into_inner();
        let by_code: BTreeMap<String, Home> = listed
            .households
            .into_iter()
            .map(|one| {
                // Where nobody can be reached by phone there is somebody all the same.
                let anybody = one.members.first().map(|member| member.customer_id.clone()).unwrap_or_default();
                let customer_id = if one.main_contact_customer_id.is_empty() { anybody } else { one.main_contact_customer_id };
                (one.unit_full_code, Home { unit_id: one.unit_id, household_id: one.id, customer_id })
            })
            .collect();
        self.homes = (0..register::HOMES).map(|home| by_code[&register::full_code(home)].clone()).collect();
        ensure!(self.homes.iter().all(|home| !home.customer_id.is_empty()), "every home has somebody to turn to");
        self.record_twice(number).await
    }

    /// Two records of one owner, made at the desk.
    async fn record_twice(&self, number: usize) -> Result<()> {
        for twin in 0..register::RECORDED_TWICE {
            let request = CreateCustomerRequest {
                request_id: id(),
                kind: CustomerKind::Person.into(),
                home_estate_id: self.id.clone(),
                name: format!("重名 {twin}"),
                phone: register::phone(number, twin),
                preferred_language: "zh-CN".to_owned(),
                ..CreateCustomerRequest::default()
            };
            CustomerServiceClient::new(self.gateway.clone()).create_customer(self.by("desk", request)).await?;
        }
        Ok(())
    }

    async fn import_in(&self, import_id: &str, state: EstateImportState) -> Result<EstateImport> {
        until(state.as_str_name(), || {
            let request = self.by("manager", GetEstateImportRequest { import_id: import_id.to_owned() });
            let mut imports = EstateImportServiceClient::new(self.gateway.clone());
            Box::pin(async move {
                let import = imports.get_estate_import(request).await?.into_inner().import.context("an import")?;
                ensure!(import.state() != EstateImportState::Failed, "{} {}", import.failure_code, import.failure_detail);
                Ok((import.state() == state).then_some(import))
            })
        })
        .await
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
