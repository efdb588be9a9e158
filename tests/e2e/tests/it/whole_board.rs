//! The board, read as people read it: a part that was late is asked for again. Tests run beside each other on small machines, and
//! what a part counted before its deadline is kept, so that the next look finds it further on.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use steward_proto::gateway::v1::{GetServiceQualityBoardRequest, ServiceQualityBoard, board_service_client::BoardServiceClient};
use tonic::{Request, transport::Channel};

const PATIENCE: Duration = Duration::from_secs(30);

/// The board with every part.
pub(crate) async fn whole_board(
    gateway: &Channel,
    ask: impl Fn() -> Result<Request<GetServiceQualityBoardRequest>>,
) -> Result<ServiceQualityBoard> {
    let begun = Instant::now();
    loop {
        let answer = BoardServiceClient::new(gateway.clone()).get_service_quality_board(ask()?).await?.into_inner();
        let board = answer.board.context("a board")?;
        if board.unavailable_services.is_empty() {
            return Ok(board);
        }
        ensure!(begun.elapsed() < PATIENCE, "after {} s: {:?}", PATIENCE.as_secs(), board.unavailable_services);
    }
}
