//! The service over real gRPC, Postgres and Redis, by a clock that stands still.

mod audiences;
mod bases;
mod customers;
mod erasure;
mod estates;
mod exits;
mod facts;
mod imports;
mod imports_pause;
mod imports_resume;
mod metrics;
mod privacy;
mod profiles;
mod query_plans;
mod rollups;
mod rotation;
mod segments;
mod tenures;
mod timeline;
mod world;
