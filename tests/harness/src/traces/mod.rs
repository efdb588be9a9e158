//! What processes tell of their work: a collector that takes spans and metrics by OTLP, and a trace as one picture in text.
//! What `cargo dev demo --trace` shows, and what tests read.

mod axis;
mod collector;
mod picture;
mod span;
mod tree;

pub use collector::Collector;
pub use picture::{WIDTH, draw};
pub use span::Span;
pub use tree::Trace;
