//! Facts of activities, fund, stock and packages.

use jiff::Timestamp;
use steward_kit::proto::{to_date, to_timestamp};
use steward_kit_store::NewEvent;
use steward_proto::care::v1 as pb;
use uuid::Uuid;

use super::publish::Told;
use crate::domain::activity::{Activity, Fact};
use crate::domain::base::Stored;
use crate::domain::community_codes::ActivityState;
use crate::domain::enrolment::{self, Enrolment};
use crate::domain::parcel::{self, Parcel};
use crate::domain::registration::Registration;
use crate::domain::service_package::Package;

/// A fact of an activity itself.
pub(crate) fn of_activity(of: &Activity, fact: Fact, now: Timestamp) -> NewEvent {
    let (activity_id, estate_id, plan) = (of.id.to_string(), of.estate_id.to_string(), &of.document.plan);
    match fact {
        Fact::Published => {
            let published = pb::ActivityPublished {
                activity_id,
                estate_id,
                title: plan.title.clone(),
                start_time: Some(to_timestamp(plan.start_time)),
                registration_from_time: Some(to_timestamp(plan.from_time)),
                registration_to_time: Some(to_timestamp(plan.to_time)),
            };
            NewEvent::new(of.id, of.estate_id, now, &published)
        }
        Fact::Closed => {
            let (checked_in_count, no_show_count) = (of.counts.checked_in, of.counts.no_show);
            NewEvent::new(of.id, of.estate_id, now, &pb::ActivityClosed { activity_id, estate_id, checked_in_count, no_show_count })
        }
    }
}

fn facts(of: &Activity, one: &Registration) -> Option<pb::RegistrationFacts> {
    let plan = &of.document.plan;
    Some(pb::RegistrationFacts {
        registration_id: one.id.to_string(),
        activity_id: of.id.to_string(),
        estate_id: of.estate_id.to_string(),
        household_id: one.household_id.to_string(),
        unit_id: one.unit_id.to_string(),
        customer_id: one.customer_id.map(|id| id.to_string()).unwrap_or_default(),
        party_size: one.party_size,
        title: plan.title.clone(),
        place: plan.place.clone(),
        start_time: Some(to_timestamp(plan.start_time)),
        end_time: Some(to_timestamp(plan.end_time)),
    })
}

/// A registration has its places.
pub(crate) fn confirmed(of: &Activity, one: &Registration, was_waiting: bool, now: Timestamp) -> NewEvent {
    NewEvent::new(one.id, one.estate_id, now, &pb::RegistrationConfirmed { registration: facts(of, one), was_waiting })
}

/// A registration waits.
pub(crate) fn waitlisted(of: &Activity, one: &Registration, now: Timestamp) -> NewEvent {
    NewEvent::new(one.id, one.estate_id, now, &pb::RegistrationWaitlisted { registration: facts(of, one) })
}

/// A registration was cancelled.
pub(crate) fn cancelled(of: &Activity, one: &Registration, now: Timestamp) -> NewEvent {
    NewEvent::new(one.id, one.estate_id, now, &pb::RegistrationCancelled { registration: facts(of, one) })
}

/// The activity of a registration was moved or called off (CA-88).
pub(crate) fn notice(of: &Activity, one: &Registration, now: Timestamp) -> NewEvent {
    let (registration, reason_code) = (facts(of, one), of.document.reason_code.clone());
    if of.state == ActivityState::Cancelled {
        return NewEvent::new(one.id, one.estate_id, now, &pb::ActivityCancelled { registration, reason_code });
    }
    let previous_start_time = of.document.previous_start_time.map(to_timestamp);
    NewEvent::new(one.id, one.estate_id, now, &pb::ActivityRescheduled { registration, previous_start_time, reason_code })
}

fn enrolment_facts(row: &Stored<Enrolment>) -> Option<pb::EnrolmentFacts> {
    let one = &row.value;
    Some(pb::EnrolmentFacts {
        enrolment_id: row.id.to_string(),
        estate_id: row.estate_id.to_string(),
        household_id: one.household_id.to_string(),
        customer_id: one.customer_id.map(|id| id.to_string()).unwrap_or_default(),
        package_code: one.package_code.clone(),
        end_date: one.end_date.map(to_date).unwrap_or_default(),
    })
}

/// A use was charged. What it cost stands in the use.
pub(crate) fn charged(row: &Stored<Enrolment>, use_id: Uuid, item_code: &str, now: Timestamp) -> NewEvent {
    let (enrolment, use_id, item_code) = (enrolment_facts(row), use_id.to_string(), item_code.to_owned());
    NewEvent::new(row.id, row.estate_id, now, &pb::PackageUseCharged { enrolment, use_id, item_code })
}

impl Told for Enrolment {
    fn event(row: &Stored<Self>, fact: &enrolment::Fact, now: Timestamp) -> Option<NewEvent> {
        let enrolment = enrolment_facts(row);
        Some(match fact {
            enrolment::Fact::Confirmed => NewEvent::new(row.id, row.estate_id, now, &pb::EnrolmentConfirmed { enrolment }),
            enrolment::Fact::Cancelled => NewEvent::new(row.id, row.estate_id, now, &pb::EnrolmentCancelled { enrolment }),
        })
    }
}

impl Told for Parcel {
    fn event(row: &Stored<Self>, fact: &parcel::Fact, now: Timestamp) -> Option<NewEvent> {
        match fact {
            parcel::Fact::Overdue => {
                let one = &row.value;
                let overdue = pb::ParcelOverdue {
                    parcel_id: row.id.to_string(),
                    estate_id: row.estate_id.to_string(),
                    household_id: one.household_id.to_string(),
                    customer_id: one.customer_id.map(|id| id.to_string()).unwrap_or_default(),
                    shelf_code: one.shelf_code.clone(),
                    receive_time: Some(to_timestamp(one.receive_time)),
                };
                Some(NewEvent::new(row.id, row.estate_id, now, &overdue))
            }
        }
    }
}

impl Told for Package {
    fn event(_row: &Stored<Self>, fact: &Self::Fact, _now: Timestamp) -> Option<NewEvent> {
        match *fact {}
    }
}
