//! What compiles, what is refused and where, and what comes of it.

mod evaluation;
mod refusals;
mod splitting;
