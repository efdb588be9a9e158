//! The API describes itself; these tests hold it to its own conventions (DESIGN §3, §10).

mod arrows;
mod golden;
mod matrix;
mod queries;
mod reasons;
mod rpcs;
mod walls;
