//! The test vectors of `domain/metrics.md` §10.2: each goes in through the public RPCs at the gateway, under a clock that the
//! test moves, and comes out of the board (or, for a planner and a report, of their own RPC) with exactly the figures of the page.
//!
//! | file | vectors |
//! |---|---|
//! | `answers` | 1 satisfaction rate and score, 2 NPS, 7 sample sizes |
//! | `orders` | 3 first responses in time, 4 callbacks |
//! | `care` | 5 talks of a month, 6 care coverage, 9 reach |
//! | `costs` | 8 cost and benefit |
//! | `leaving` | F-05c complaints of a campaign, F-13b customers lost |

mod answers;
mod care;
mod costs;
mod leaving;
mod orders;
mod register;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use steward_e2e::House;
use steward_harness::Claims;
use steward_proto::customer::v1::{PremisesType, RegisterEstateRequest, estate_service_client::EstateServiceClient};
use steward_proto::gateway::v1::board_service_client::BoardServiceClient;
use steward_proto::gateway::v1::plan_service_client::PlanServiceClient;
use steward_proto::gateway::v1::{
    AppliedState, ApplyServicePlanRequest, ExplainMetricRequest, GetServiceQualityBoardRequest, ServiceQualityBoard,
};
use steward_proto::metric::v1::{MetricPart, MetricPeriod, MetricRow, MetricValue};
use steward_proto::plan::v1::{PolicyScope, PolicyScopeLevel};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::whole_board::whole_board;

/// How long what comes by itself may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Calls that are under way at once; more would only wait for two cores.
const AT_ONCE: usize = 12;

/// A house under the product's defaults, and somebody of group operations at its gateway.
struct Ground {
    house: House,
    gateway: Channel,
    operations: Caller,
}

/// Somebody who calls.
#[derive(Clone)]
struct Caller(String);

impl Caller {
    fn asks<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", self.0).parse().expect("a token is ASCII"));
        request
    }
}

impl Ground {
    async fn open(now: &str) -> Result<Self> {
        let house = House::open(now.parse()?).await?;
        let operations =
            Caller(steward_harness::Issuer::of_tests().mint(&Claims::staff("ops.lin").role("group_operations").every_estate())?);
        let ground = Self { gateway: house.gateway().await?, house, operations };
        ground.apply("base", PolicyScope { level: PolicyScopeLevel::Base.into(), id: String::new() }).await?;
        Ok(ground)
    }

    /// An estate under a plan; every service has heard of it.
    async fn estate(&self, code: &str, plan: &str) -> Result<String> {
        let request = RegisterEstateRequest {
            request_id: id(),
            group_id: id(),
            region_id: id(),
            name: "锦绣花园".to_owned(),
            code: code.to_owned(),
            city_code: "330100".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
            premises_type: PremisesType::Residential.into(),
        };
        let answer = EstateServiceClient::new(self.gateway.clone()).register_estate(self.operations.asks(request)).await?;
        let estate = answer.into_inner().estate.context("an estate")?.id;
        self.apply(plan, PolicyScope { level: PolicyScopeLevel::Estate.into(), id: estate.clone() }).await?;
        Ok(estate)
    }

    async fn apply(&self, plan: &str, scope: PolicyScope) -> Result<()> {
        let request = ApplyServicePlanRequest { request_id: id(), plan_code: plan.to_owned(), scope: Some(scope), ..Default::default() };
        let answer = heard(|| {
            let (mut plans, request) = (PlanServiceClient::new(self.gateway.clone()), self.operations.asks(request.clone()));
            async move { plans.apply_service_plan(request).await }
        });
        let documents = answer.await.with_context(|| format!("applying {plan}"))?.into_inner().documents;
        ensure!(documents.iter().all(|document| document.state() == AppliedState::Applied), "{plan}: {documents:?}");
        Ok(())
    }

    /// Staff of an estate in a role.
    fn staff(&self, subject: &str, role: &str, estate: &str) -> Result<Caller> {
        self.caller(&Claims::staff(subject).role(role).estate(estate))
    }

    /// A customer of an estate, as themselves.
    fn resident(&self, customer: &str, estate: &str) -> Result<Caller> {
        self.caller(&Claims::customer(&format!("resident-{customer}"), customer).role("resident").estate(estate))
    }

    fn caller(&self, claims: &Claims) -> Result<Caller> {
        Ok(Caller(steward_harness::Issuer::of_tests().mint(claims)?))
    }

    /// Many hands of a role: the gateway gives one principal fifty calls a second, and so many calls come from many.
    fn crowd(&self, role: &str, estate: &str) -> Result<Vec<Caller>> {
        (0..40).map(|at| self.staff(&format!("{role}-{at}"), role, estate)).collect()
    }

    /// Moves the clock of every service on.
    fn set(&self, instant: &str) -> Result<()> {
        self.house.hand.set(instant.parse::<Timestamp>()?);
        Ok(())
    }

    fn advance(&self, minutes: i64) {
        self.house.hand.advance(jiff::SignedDuration::from_mins(minutes));
    }

    async fn board(&self, estate: &str, period: (&str, &str), plan: &str, metrics: &[&str]) -> Result<ServiceQualityBoard> {
        let request = GetServiceQualityBoardRequest {
            estate_ids: vec![estate.to_owned()],
            period: days(period),
            plan_code: plan.to_owned(),
            metric_ids: metrics.iter().map(|metric| (*metric).to_owned()).collect(),
        };
        whole_board(&self.gateway, || Ok(self.operations.asks(request.clone()))).await
    }

    /// One figure of an estate, as the board shows it.
    async fn figure(&self, estate: &str, period: (&str, &str), plan: &str, metric: &str) -> Result<MetricValue> {
        let board = self.board(estate, period, plan, &[metric]).await?;
        board.values.into_iter().find(|value| value.estate_id == estate).with_context(|| format!("{metric} of the estate"))
    }

    /// A figure as soon as it is so.
    async fn figure_when(
        &self,
        estate: &str,
        period: (&str, &str),
        (plan, metric): (&str, &str),
        is_so: impl Fn(&MetricValue) -> bool,
    ) -> Result<MetricValue> {
        let begun = Instant::now();
        loop {
            let value = self.figure(estate, period, plan, metric).await?;
            if is_so(&value) {
                return Ok(value);
            }
            ensure!(begun.elapsed() < PATIENCE, "{metric} stays {value:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Every row behind a figure, page by page (GR-22).
    async fn rows(&self, estate: &str, period: (&str, &str), plan: &str, metric: &str) -> Result<(MetricValue, Vec<MetricRow>)> {
        let mut request = ExplainMetricRequest {
            estate_id: estate.to_owned(),
            metric_id: metric.to_owned(),
            period: days(period),
            plan_code: plan.to_owned(),
            page_size: 70,
            ..Default::default()
        };
        let mut rows = Vec::new();
        loop {
            let mut boards = BoardServiceClient::new(self.gateway.clone());
            let page = boards.explain_metric(self.operations.asks(request.clone())).await?.into_inner();
            rows.extend(page.rows);
            if page.next_page_token.is_empty() {
                return Ok((page.value.context("the figure")?, rows));
            }
            request.page_token = page.next_page_token;
        }
    }
}

/// Does something for each of many, some at a time, and gives what came of it in their order.
async fn each<T, R, F: Future<Output = Result<R>>>(many: impl IntoIterator<Item = T>, one: impl FnMut(T) -> F) -> Result<Vec<R>> {
    futures::stream::iter(many).map(one).buffered(AT_ONCE).try_collect().await
}

/// Calls until what the call is about has been heard of everywhere.
async fn heard<R, F: Future<Output = Result<R, Status>>>(mut call: impl FnMut() -> F) -> Result<R> {
    let begun = Instant::now();
    loop {
        match call().await {
            Err(status) if matches!(status.code(), Code::NotFound | Code::Unavailable) && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            answer => return Ok(answer?),
        }
    }
}

fn id() -> String {
    Uuid::now_v7().to_string()
}

fn days((from_date, to_date): (&str, &str)) -> Option<MetricPeriod> {
    Some(MetricPeriod { from_date: from_date.to_owned(), to_date: to_date.to_owned() })
}

fn part<'a>(value: &'a MetricValue, code: &str) -> Option<&'a MetricPart> {
    value.parts.iter().find(|part| part.code == code)
}

/// How many rows stand for a reason.
fn reasons(rows: &[MetricRow], reason: &str) -> usize {
    rows.iter().filter(|row| row.reason_code == reason).count()
}

/// Subjects of rows; each row has its own.
fn subjects(rows: &[MetricRow]) -> Result<BTreeSet<String>> {
    let subjects: BTreeSet<String> = rows.iter().map(|row| row.subject_id.clone()).collect();
    ensure!(subjects.len() == rows.len(), "a row is shown twice");
    Ok(subjects)
}
