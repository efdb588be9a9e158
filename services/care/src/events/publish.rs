//! From what the domain decided to what the outbox and the timers hold.

use jiff::Timestamp;
use steward_kit::ids::EstateId;
use steward_kit::proto::{to_date, to_timestamp};
use steward_kit_store::{Claim, Effects, NewEvent, TimerChange};
use steward_proto::care::v1 as pb;

use crate::contract::Code;
use crate::domain::annual_plan::{AnnualPlan, Plan315};
use crate::domain::base::{Change, Document, Promise, Stored};
use crate::domain::batch::Batch;
use crate::domain::forum::{self, Forum};
use crate::domain::obligation::{self, Obligation};
use crate::domain::programme::Action;
use crate::domain::round::{self, Round};
use crate::domain::touchpoint::{self, Touchpoint};
use crate::domain::visit::{self, Visit};

/// A document whose facts are told.
pub(crate) trait Told: Document {
    /// One fact as its message; `None` where there is nothing for others to know.
    fn event(row: &Stored<Self>, fact: &Self::Fact, now: Timestamp) -> Option<NewEvent>;
}

/// Everything that follows from a change, for the statement that writes it. `row` is the document as it then is.
pub(crate) fn effects_of<T: Told>(row: &Stored<T>, change: &Change<T>, claim: Option<Claim>, now: Timestamp) -> Effects {
    Effects {
        claim,
        events: change.facts.iter().filter_map(|fact| T::event(row, fact, now)).collect(),
        timers: change.promises.iter().map(|promise| timer(promise, row.id, row.estate_id)).collect(),
    }
}

/// A promise as the change of its timer.
pub(crate) fn timer(promise: &Promise, subject: uuid::Uuid, estate: EstateId) -> TimerChange {
    let (kind, subject) = (promise.kind.as_str(), promise.subject.unwrap_or(subject));
    match promise.due {
        Some(due) => TimerChange::set(kind, subject, "", estate, due),
        None => TimerChange::cancel(kind, subject, ""),
    }
}

fn about<T, M: prost::Message + prost::Name>(row: &Stored<T>, now: Timestamp, payload: &M) -> Option<NewEvent> {
    Some(NewEvent::new(row.id, row.estate_id, now, payload))
}

fn id<T: ToString>(id: Option<T>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

impl Told for Touchpoint {
    fn event(row: &Stored<Self>, fact: &touchpoint::Fact, now: Timestamp) -> Option<NewEvent> {
        let one = &row.value;
        let touchpoint = Some(pb::TouchpointFacts {
            touchpoint_id: row.id.to_string(),
            estate_id: row.estate_id.to_string(),
            household_id: one.household_id.to_string(),
            unit_id: one.unit_id.to_string(),
            customer_id: id(one.customer_id),
            programme_code: one.programme_code.clone(),
            definition_code: one.definition_code.clone(),
            due_time: Some(to_timestamp(one.due_time)),
        });
        let reason_code = one.reason_code.clone();
        match fact {
            touchpoint::Fact::ActionDue => match one.action.clone() {
                Action::Message { template_key, purpose_class, topic: _ } => {
                    about(row, now, &pb::TouchpointMessageDue { touchpoint, template_key, purpose_class })
                }
                Action::Survey { questionnaire_code } => about(row, now, &pb::TouchpointSurveyDue { touchpoint, questionnaire_code }),
                Action::Order { order_kind, category, description } => {
                    // What a programme says it says to everybody. What staff wrote for one household stays sealed in the touchpoint.
                    let description = if one.programme_id.is_some() { description } else { String::new() };
                    about(row, now, &pb::TouchpointOrderDue { touchpoint, kind: order_kind.number(), category, description })
                }
                Action::Task { role, .. } => about(row, now, &pb::TouchpointTaskDue { touchpoint, role }),
                Action::Visit { .. } => None,
            },
            touchpoint::Fact::Excluded => about(row, now, &pb::TouchpointExcluded { touchpoint, reason_code }),
            touchpoint::Fact::Included => about(row, now, &pb::TouchpointIncluded { touchpoint }),
            touchpoint::Fact::Confirmed => about(row, now, &pb::TouchpointConfirmed { touchpoint }),
            touchpoint::Fact::Overdue => {
                let role = match &one.action {
                    Action::Task { role, .. } => role.clone(),
                    Action::Message { .. } | Action::Visit { .. } | Action::Survey { .. } | Action::Order { .. } => String::new(),
                };
                about(row, now, &pb::TouchpointOverdue { touchpoint, role })
            }
        }
    }
}

impl Told for Visit {
    fn event(row: &Stored<Self>, fact: &visit::Fact, now: Timestamp) -> Option<NewEvent> {
        let one = &row.value;
        let visit = Some(pb::VisitFacts {
            visit_id: row.id.to_string(),
            visit_round_id: one.round_id.to_string(),
            estate_id: row.estate_id.to_string(),
            household_id: one.household_id.to_string(),
            unit_id: one.unit_id.to_string(),
            customer_id: id(one.customer_id),
            coordinator: one.coordinator.clone(),
            start_time: one.start_time.map(to_timestamp),
        });
        match fact {
            visit::Fact::NoticeDue => about(row, now, &pb::VisitNoticeDue { visit }),
            visit::Fact::Rescheduled => about(row, now, &pb::VisitRescheduled { visit }),
            visit::Fact::IssueRaised(at) => {
                let issue = one.form.as_ref()?.issues.get(*at)?;
                let (kind, category) = (issue.kind.number(), issue.category.clone());
                about(row, now, &pb::VisitIssueRaised { visit, position: i32::try_from(*at).unwrap_or(i32::MAX), kind, category })
            }
            visit::Fact::Important => about(row, now, &pb::ImportantVisitReported { visit }),
            visit::Fact::FormOverdue => {
                let visitor = one.visitors.first().cloned().unwrap_or_default();
                about(row, now, &pb::VisitFormOverdue { visit, visitor })
            }
        }
    }
}

impl Told for Round {
    fn event(row: &Stored<Self>, fact: &round::Fact, now: Timestamp) -> Option<NewEvent> {
        let (visit_round_id, estate_id) = (row.id.to_string(), row.estate_id.to_string());
        let coordinator = row.value.coordinator.clone();
        match fact {
            round::Fact::Digest { date, done, due, excluded } => about(
                row,
                now,
                &pb::VisitRoundDigest {
                    visit_round_id,
                    estate_id,
                    coordinator,
                    date: to_date(*date),
                    done_count: *done,
                    due_count: *due,
                    excluded_count: *excluded,
                },
            ),
            round::Fact::ReportOverdue => about(row, now, &pb::RoundReportOverdue { visit_round_id, estate_id, coordinator }),
        }
    }
}

impl Told for Obligation {
    fn event(row: &Stored<Self>, fact: &obligation::Fact, now: Timestamp) -> Option<NewEvent> {
        let one = &row.value;
        match fact {
            obligation::Fact::Overdue => about(
                row,
                now,
                &pb::ObligationOverdue {
                    obligation_id: row.id.to_string(),
                    estate_id: row.estate_id.to_string(),
                    code: one.code.clone(),
                    role: one.role.clone(),
                    flag_code: one.flag.clone(),
                },
            ),
        }
    }
}

impl Told for Forum {
    fn event(row: &Stored<Self>, fact: &forum::Fact, now: Timestamp) -> Option<NewEvent> {
        let (forum_id, estate_id) = (row.id.to_string(), row.estate_id.to_string());
        match fact {
            forum::Fact::InvitationDue(at) => {
                let invitation = row.value.invitations.get(*at)?;
                about(
                    row,
                    now,
                    &pb::ForumInvitationDue {
                        forum_id,
                        estate_id,
                        household_id: invitation.household_id.to_string(),
                        customer_id: id(invitation.customer_id),
                        start_time: Some(to_timestamp(row.value.start_time)),
                    },
                )
            }
            forum::Fact::MinutesPublished => {
                let document_reference = row.value.document_reference.clone();
                about(row, now, &pb::ForumMinutesPublished { forum_id, estate_id, document_reference })
            }
            forum::Fact::MinutesOverdue => about(row, now, &pb::ForumMinutesOverdue { forum_id, estate_id }),
        }
    }
}

macro_rules! silent {
    ($($type:ident),+) => {$(
        impl Told for $type {
            fn event(_row: &Stored<Self>, fact: &Self::Fact, _now: Timestamp) -> Option<NewEvent> {
                match *fact {}
            }
        }
    )+};
}

silent!(AnnualPlan, Plan315, Batch);
