//! Who does something.

pub use steward_kit::auth::{Actor, PrincipalKind as ActorKind};

/// This service: a timer, a consumer, a job.
pub(in crate::domain) fn system() -> Actor {
    Actor::new(ActorKind::Service, "work-order")
}
