//! The development stack: private Postgres and Redis with lasting data, the services as processes, an SMTP server and a webhook receiver.
//! What `cargo dev up`, `demo`, `start`, `status`, `token`, `letters` and `clock` do.

mod clock;
mod environment;
mod files;
mod health;
mod keys;
mod launch;
mod letters;
mod logs;
mod ports;
mod services;
mod status;

pub use clock::{advance, offset, parse_span};
pub use environment::{DATABASE, environment};
pub use files::Files;
pub use health::wait as wait_until_served;
pub use keys::Keys;
pub use launch::{Stack, migrate, serve_sinks};
pub use letters::{Task, letters};
pub use logs::follow;
pub use ports::Ports;
pub use services::{SERVICES, Service};
pub use status::print as print_status;
