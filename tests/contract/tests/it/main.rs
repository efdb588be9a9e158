//! The API describes itself; these tests hold it to its own conventions (DESIGN §3, §10).

mod arrows;
mod audit;
mod golden;
mod limits;
mod matrix;
mod queries;
mod reasons;
mod rpcs;
mod tls;
mod walls;
