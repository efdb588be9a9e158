//! Use cases, one file each. RPCs and jobs call the same ones. A mutation is read, decide, write: [`transact`] does what they
//! have in common. Each says how many round trips it costs.

mod change_estate_import;
mod check_policies;
mod count_customers;
mod create_customer;
mod create_estate_import;
mod create_tenure;
mod create_unit;
mod end_tenure;
mod erase_customer;
mod exits;
mod expire_estate_import;
mod import_file;
mod keep_facts;
mod metrics;
mod plan_estate_import;
mod profiles;
mod read_audiences;
mod read_customers;
mod read_estate_imports;
mod read_estates;
mod read_tenures;
mod read_timeline;
mod register_estate;
mod renovations;
mod resolve_contact;
mod reveal_customer;
mod segments;
mod tags;
mod take_file_part;
mod transact;
mod update_customer;
mod update_estate;
mod update_unit;
mod write_estate_import;

use std::sync::Arc;

use steward_kit::clock::Clock;
use steward_kit::crypto::FieldCipher;
use steward_kit::paging::PageTokens;
use steward_kit_store::Db;
use steward_kit_store::estates::EstateDirectory;
use steward_kit_store::rollups::Rollups;

use crate::domain::vault::Vault;
use crate::store::numbers::Numbers;
use count_customers::CountCustomers;
use import_file::ReadFiles;

pub(crate) use check_policies::OwnPolicies;
pub(crate) use create_customer::{NewCustomer, Recorded};
pub(crate) use create_estate_import::NewImport;
pub(crate) use create_tenure::NewTenure;
pub(crate) use create_unit::{NewBuilding, NewEntrance, NewUnit};
pub(crate) use end_tenure::TenureEnd;
pub(crate) use erase_customer::Erasure;
pub(crate) use exits::NewExit;
pub(crate) use metrics::RowKey;
pub(crate) use profiles::{NewAttribute, NewKeyDate, NewUsage};
pub(crate) use read_audiences::{Audience, Checked, KeyDateQuery};
pub(crate) use register_estate::NewEstate;
pub(crate) use renovations::{NewOccupancy, NewRenovation};
pub(crate) use resolve_contact::ContactRequest;
pub(crate) use reveal_customer::RevealRequest;
pub(crate) use segments::{NewSegment, Standing};
pub(crate) use tags::NewTag;
pub(crate) use take_file_part::FilePart;
pub(crate) use transact::{Call, Target};

/// What use cases work with. Shared by RPCs and jobs.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) pages: PageTokens,
    vault: Vault,
    numbers: Numbers,
    files: ReadFiles,
    rollups: Rollups<CountCustomers>,
}

impl App {
    /// The app over a database.
    pub(crate) fn new(db: Db, clock: Clock, vault: Vault) -> Arc<Self> {
        let numbers = Numbers::new(db.pool().clone());
        let pages = vault.page_tokens();
        let rollups = Rollups::new(db.clone(), clock.clone(), CountCustomers::new(EstateDirectory::new(db.clone())));
        Arc::new(Self { db, clock, pages, vault, numbers, files: ReadFiles::default(), rollups })
    }

    /// What figures came to.
    pub(crate) fn rollups(&self) -> &Rollups<CountCustomers> {
        &self.rollups
    }

    /// What seals, for the job of a key rotation.
    pub(crate) fn cipher(&self) -> FieldCipher {
        self.vault.cipher()
    }
}
