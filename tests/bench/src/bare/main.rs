//! `steward-bench-bare`: what the product is measured against. tonic, sqlx and redis write and read the same rows in as few round trips
//! as can be: no permissions, no validation, no rules, nothing sealed.
//!
//! It answers the same RPCs with the same messages, so that a caller's own cost is the same on both sides.

mod create;
mod get;
mod pattern;
mod published;
mod rpc;
mod sink;

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Parser;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tonic::{Status, transport::Server};

use pattern::Pattern;
use published::Published;
use rpc::Bare;
use sink::Sink;

#[derive(Parser)]
enum Task {
    /// The RPCs about orders.
    Orders {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        database_url: String,
        #[arg(long)]
        redis_url: String,
        /// The order whose rows are written again and again.
        #[arg(long)]
        pattern: uuid::Uuid,
    },
    /// A collector of spans that keeps none.
    Sink {
        #[arg(long)]
        listen: SocketAddr,
    },
}

/// What every call needs.
struct State {
    pool: PgPool,
    pattern: Pattern,
    published: Published,
}

#[tokio::main]
async fn main() -> Result<()> {
    let (health, answers) = tonic_health::server::health_reporter();
    let server = Server::builder().add_service(answers);
    match Task::parse() {
        Task::Orders { listen, database_url, redis_url, pattern } => {
            let pool = PgPoolOptions::new()
                // As many as the product has.
                .max_connections(16)
                .min_connections(1)
                .test_before_acquire(false)
                .connect(&database_url)
                .await
                .context("connecting to Postgres")?;
            let pattern = Pattern::read(&pool, pattern).await.context("reading the pattern")?;
            let published = Published::start(&redis_url).await?;
            health.set_serving::<Bare>().await;
            server.add_service(Bare::new(Arc::new(State { pool, pattern, published }))).serve(listen).await.context("serving")
        }
        Task::Sink { listen } => {
            health.set_serving::<Sink<false>>().await;
            server.add_service(Sink::<false>).add_service(Sink::<true>).serve(listen).await.context("serving")
        }
    }
}

/// What broke, for a caller that stops at it.
#[expect(clippy::disallowed_methods, reason = "no refusals of the product are made here")]
fn broken(error: impl std::fmt::Display) -> Status {
    Status::internal(error.to_string())
}
