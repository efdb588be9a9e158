//! The service-quality board (GR-03): definitions from the plan, figures from the services that own the facts.
//!
//! | file | what it does |
//! |---|---|
//! | `definitions` | which definitions are meant: a plan's that ships, or each estate's own |
//! | `bases` | the households that rates are of, asked of customer |
//! | `figures` | asks every owner at once, each within its own deadline, and adds what only the plan knows |
//! | `explain` | the rows behind one figure (GR-22) |
//! | `report` | the monthly evaluation (GR-05) |

mod bases;
mod definitions;
mod explain;
mod figures;
mod report;

use std::collections::BTreeMap;

use futures::{StreamExt as _, TryStreamExt as _};
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::metric::wire;
use steward_kit::proto::to_timestamp;
use steward_proto::gateway::v1::{
    ExplainMetricRequest, ExplainMetricResponse, GetServiceQualityBoardRequest, GetServiceQualityBoardResponse, GetServiceReportRequest,
    GetServiceReportResponse, ServiceQualityBoard, board_service_server::BoardService,
};
use tonic::{Request, Response, Status};

use crate::aggregate::{Caller, Services, Unavailable};

/// Groups of estates whose figures are asked for at once; each group asks every service.
const AT_ONCE: usize = 4;

#[tonic::async_trait]
impl BoardService for Services {
    async fn get_service_quality_board(
        &self,
        request: Request<GetServiceQualityBoardRequest>,
    ) -> Result<Response<GetServiceQualityBoardResponse>, Status> {
        let caller = Caller::of(&request)?;
        // One call to each service side by side makes a large future; boxed, it does not weigh on every task that holds it.
        let board = Box::pin(self.board(&caller, request.into_inner())).await?;
        Ok(Response::new(GetServiceQualityBoardResponse { board: Some(board) }))
    }

    async fn explain_metric(&self, request: Request<ExplainMetricRequest>) -> Result<Response<ExplainMetricResponse>, Status> {
        let caller = Caller::of(&request)?;
        Ok(Response::new(self.explain(&caller, request.into_inner()).await?))
    }

    async fn get_service_report(&self, request: Request<GetServiceReportRequest>) -> Result<Response<GetServiceReportResponse>, Status> {
        let caller = Caller::of(&request)?;
        let report = Box::pin(self.report(&caller, request.into_inner())).await?;
        Ok(Response::new(GetServiceReportResponse { report: Some(report) }))
    }
}

impl Services {
    /// The board. Estates that share their definitions are asked for together: one call to customer for each period that
    /// households are counted in, then one to each service for the figures, all services at once. Where estates go by
    /// definitions of their own, [`AT_ONCE`] groups at a time.
    async fn board(&self, caller: &Caller, request: GetServiceQualityBoardRequest) -> Result<ServiceQualityBoard, Status> {
        let mut bad = Violations::of(&request);
        let asked = wire::period(&mut bad, request.period.as_ref());
        definitions::check_ids(&request.metric_ids, &mut bad);
        for (at, id) in request.estate_ids.iter().enumerate() {
            bad.id::<EstateId>(&format!("estate_ids[{at}]"), id);
        }
        let asked = bad.build(|| asked)?;
        let as_of = self.clock.now();

        let groups = self.definitions(caller, &request.plan_code, &request.estate_ids).await?;
        let only = request.metric_ids.as_slice();
        let questions: Vec<figures::Question<'_>> =
            groups.iter().map(|(definitions, estates)| figures::Question { definitions, estates, asked, only }).collect();
        let asked_for: Vec<_> = questions.iter().map(|question| self.figures(caller, question, as_of)).collect();
        let answers: Vec<figures::Answer> = futures::stream::iter(asked_for).buffered(AT_ONCE).try_collect().await?;
        let mut values = Vec::new();
        let mut missing = BTreeMap::new();
        for answer in answers {
            values.extend(answer.values);
            missing.extend(answer.missing);
        }
        Ok(ServiceQualityBoard {
            plan_code: request.plan_code,
            period: request.period,
            values,
            unavailable_services: Unavailable::listed(missing),
            as_of_time: Some(to_timestamp(as_of)),
        })
    }
}
