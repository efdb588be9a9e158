//! The test harness: real Postgres and Redis, tokens, an SMTP server and a webhook receiver, for the integration tests of every crate;
//! and the runner of the development stack (`steward-stack`), which is built from the same pieces.
//!
//! A test takes what it needs and cleans up by dropping it:
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use steward_harness::{Claims, Issuer, TestDatabase, TestRedis};
//!
//! let database = TestDatabase::new().await?;            // every schema migrated, cloned in some 40 ms
//! let redis = TestRedis::shared()?;                     // one per test process
//! let token = Issuer::of_tests().mint(&Claims::staff("wang").role("estate_manager").every_estate())?;
//! let url = database.app_url("work_order");
//! # drop((redis, token, url)); Ok(())
//! # }
//! ```

mod asked;
pub mod cases;
pub mod certificates;
pub mod in_process;
mod postgres;
pub mod proxy;
pub mod query_plans;
mod redis;
pub mod rollups;
mod settings;
pub mod sinks;
pub mod stack;
pub mod story;
mod tokens;
pub mod traces;
pub mod wire;

pub use asked::Asked;
pub use postgres::{SCHEMAS, TestDatabase};
pub use redis::TestRedis;
pub use settings::PrivateDir;
pub use sinks::{Mail, MailSink, WebhookRequest, WebhookSink};
pub use tokens::{AUDIENCE, Claims, ISSUER, Issuer};
