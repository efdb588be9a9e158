//! The service over real gRPC, Postgres and Redis, by a clock that stands still.

mod customers;
mod estates;
mod imports;
mod imports_resume;
mod privacy;
mod tenures;
mod timeline;
mod world;
