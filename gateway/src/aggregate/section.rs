//! One part of an aggregate: with a deadline of its own, and a name when it is missing.

use std::{collections::BTreeMap, future::Future, time::Duration};

use steward_proto::gateway::v1::{Section, UnavailableReason, UnavailableSection, UnavailableService};
use tonic::{Code, Response, Status};

use crate::methods::Owner;

/// Collects what could not be had.
#[derive(Debug, Default)]
pub(super) struct Missing(Vec<UnavailableSection>);

impl Missing {
    /// The section's answer, or `None` after noting why not.
    pub(super) fn note<T>(&mut self, section: Section, answer: Result<T, Status>) -> Option<T> {
        answer
            .map_err(|status| {
                let reason = Unavailable::reason(status.code());
                self.0.push(UnavailableSection { section: section.into(), reason: reason.into() });
            })
            .ok()
    }

    pub(super) fn into_vec(self) -> Vec<UnavailableSection> {
        self.0
    }
}

/// Waits for one part no longer than its deadline.
pub(crate) async fn within<T>(deadline: Duration, call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    #[expect(clippy::disallowed_methods, reason = "never leaves the gateway: it becomes the section's reason")]
    let late = |_| Status::deadline_exceeded("the section's deadline");
    tokio::time::timeout(deadline, call).await.unwrap_or_else(|elapsed| Err(late(elapsed))).map(Response::into_inner)
}

/// What could not be had, and why.
pub(crate) struct Unavailable;

impl Unavailable {
    /// Services that did not answer, as the contract lists them.
    pub(crate) fn listed(missing: BTreeMap<Owner, UnavailableReason>) -> Vec<UnavailableService> {
        let named =
            |(owner, reason): (Owner, UnavailableReason)| UnavailableService { service: owner.name().to_owned(), reason: reason.into() };
        missing.into_iter().map(named).collect()
    }

    /// Why, by the code of the answer.
    pub(crate) fn reason(code: Code) -> UnavailableReason {
        match code {
            Code::DeadlineExceeded | Code::Cancelled => UnavailableReason::Deadline,
            Code::Unavailable | Code::ResourceExhausted => UnavailableReason::ServiceDown,
            Code::PermissionDenied => UnavailableReason::PermissionDenied,
            Code::Ok
            | Code::Unknown
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Internal
            | Code::DataLoss
            | Code::Unauthenticated => UnavailableReason::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use steward_proto::gateway::v1::{Section, UnavailableReason};
    use tonic::Response;

    use super::{Missing, within};

    /// GR-01
    #[tokio::test]
    async fn a_part_that_does_not_answer_is_named_and_the_rest_is_there() {
        let mut missing = Missing::default();
        let slow = within::<u8>(Duration::from_millis(1), std::future::pending()).await;
        let quick = within(Duration::from_secs(1), async { Ok(Response::new(7_u8)) }).await;
        assert_eq!(missing.note(Section::Timeline, slow), None);
        assert_eq!(missing.note(Section::Profile, quick), Some(7));
        let missing = missing.into_vec();
        assert_eq!(missing.len(), 1);
        assert_eq!((missing[0].section(), missing[0].reason()), (Section::Timeline, UnavailableReason::Deadline));
    }
}
