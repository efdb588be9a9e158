//! Use cases, one file each. RPCs, event consumers and jobs call the same ones.

mod activate_template_version;
mod ask_ledger;
mod attempt_delivery;
mod broadcast_page;
mod change_broadcast;
mod compose;
mod contact_policies;
mod count_messages;
mod create_broadcast;
mod create_routing_rule;
mod create_template_version;
mod delete_routing_rule;
mod delivery_figures;
mod give_consent;
mod install_shipped;
mod judge_message;
mod mark_inbox_items_read;
mod metrics;
mod ready_conditions;
mod record_inbound_reply;
mod redrive_delivery;
mod route_events;
mod run_broadcast;
mod send_message;
mod settle_message;
mod situations;
mod transact;
mod update_preferences;
mod wakes;
mod webhook_endpoints;
mod withdraw_consent;

use std::sync::Arc;

use steward_kit::client::Peer;
use steward_kit::clock::Clock;
use steward_kit::crypto::FieldCipher;
use steward_kit_store::Db;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::rollups::Rollups;
use steward_proto::customer::v1::audience_service_client::AudienceServiceClient;
use steward_proto::customer::v1::contact_service_client::ContactServiceClient;

use crate::channels::mail::Mailer;
use crate::channels::webhook::Caller;
use crate::shipped::Shipped;
use contact_policies::ContactPolicies;
use count_messages::CountMessages;
use ready_conditions::ReadyConditions;

pub(crate) use ask_ledger::{Question, Verdict};
pub(crate) use contact_policies::ContactRules;
pub(crate) use create_broadcast::NewBroadcast;
pub(crate) use create_routing_rule::NewRule;
pub(crate) use create_template_version::NewTemplate;
pub(crate) use delivery_figures::expect as expect_deliveries;
pub(crate) use give_consent::NewConsent;
pub(crate) use send_message::NewMessage;
pub(crate) use transact::{Call, Target};
pub(crate) use update_preferences::PreferenceChange;
pub(crate) use wakes::{Due, Errand, Lane, Wakes};
pub(crate) use webhook_endpoints::NewEndpoint;

/// What use cases work with. Shared by RPCs and jobs.
pub(crate) struct App {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) shipped: Shipped,
    pub(crate) estates: EstateDirectory,
    pub(crate) wakes: Wakes,
    rollups: Rollups<CountMessages>,
    cipher: FieldCipher,
    policies: ContactPolicies,
    conditions: ReadyConditions,
    mailer: Mailer,
    caller: Caller,
    contacts: ContactServiceClient<Peer>,
    audience: AudienceServiceClient<Peer>,
    members: AudienceServiceClient<Peer>,
    /// Deliveries of broadcasts that may wait for their turn before the next page is put off.
    bulk_backlog: i64,
}

/// The ways out of the house.
pub(crate) struct Ways {
    pub(crate) mailer: Mailer,
    pub(crate) caller: Caller,
    /// Addresses are asked of it.
    pub(crate) contacts: ContactServiceClient<Peer>,
    /// Situations of households are asked of it.
    pub(crate) audience: AudienceServiceClient<Peer>,
    /// The households of an audience are asked of it, a thousand at once.
    pub(crate) members: AudienceServiceClient<Peer>,
}

impl App {
    /// What figures came to.
    pub(crate) fn rollups(&self) -> &Rollups<CountMessages> {
        &self.rollups
    }

    /// What seals the fields of this service.
    pub(crate) fn cipher(&self) -> FieldCipher {
        self.cipher.clone()
    }

    /// The app over a database.
    pub(crate) fn new(db: Db, clock: Clock, cipher: FieldCipher, shipped: Shipped, ways: Ways, bulk_backlog: i64) -> Arc<Self> {
        let estates = EstateDirectory::new(db.clone());
        let rollups = Rollups::new(db.clone(), clock.clone(), CountMessages::new(estates.clone()));
        let policies = ContactPolicies::new(db.clone(), shipped.policy.clone());
        let Ways { mailer, caller, contacts, audience, members } = ways;
        Arc::new(Self {
            db,
            clock,
            shipped,
            estates,
            wakes: Wakes::default(),
            rollups,
            cipher,
            policies,
            conditions: ReadyConditions::default(),
            mailer,
            caller,
            contacts,
            audience,
            members,
            bulk_backlog,
        })
    }
}
