//! A customer's row, and what opens it.

use steward_kit::Result;
use steward_kit::ids::CustomerId;
use uuid::Uuid;

use super::word;
use crate::domain::customer::{AddressState, ContactMode, Contactability, Customer, CustomerKind, DataSource, Language};
use crate::domain::vault::{Sealed, Vault};

pub(super) struct CustomerRow {
    pub(super) id: Uuid,
    pub(super) number: i64,
    pub(super) group_id: Uuid,
    pub(super) home_estate_id: Uuid,
    pub(super) kind: String,
    pub(super) data_key: Option<Vec<u8>>,
    pub(super) name: Option<Vec<u8>>,
    pub(super) phone: Option<Vec<u8>>,
    pub(super) email: Option<Vec<u8>>,
    pub(super) id_number: Option<Vec<u8>>,
    pub(super) address: Option<Vec<u8>>,
    pub(super) preferred_language: String,
    pub(super) phone_state: String,
    pub(super) email_state: String,
    pub(super) do_not_disturb: bool,
    pub(super) contact_mode: String,
    pub(super) source: String,
    pub(super) row_version: i64,
    pub(super) create_time: jiff_sqlx::Timestamp,
    pub(super) update_time: jiff_sqlx::Timestamp,
    pub(super) erase_time: Option<jiff_sqlx::Timestamp>,
}

/// A customer, and the wrapped key that their data are sealed under.
#[derive(Debug, Clone)]
pub(crate) struct StoredCustomer {
    pub(crate) customer: Customer,
    pub(crate) data_key: Option<Vec<u8>>,
}

impl CustomerRow {
    pub(super) fn open(self, vault: &Vault) -> Result<StoredCustomer> {
        let id = CustomerId::from(self.id);
        let data_key = self.data_key.clone();
        let sealed = Sealed {
            data_key: self.data_key,
            name: self.name,
            phone: self.phone,
            email: self.email,
            id_number: self.id_number,
            address: self.address,
            ..Sealed::default()
        };
        let customer = Customer {
            id,
            number: self.number,
            kind: word(&self.kind, CustomerKind::parse)?,
            group_id: self.group_id.into(),
            home_estate_id: self.home_estate_id.into(),
            personal: vault.open(id, &sealed)?,
            language: word(&self.preferred_language, Language::parse)?,
            contactability: Contactability {
                phone_state: word(&self.phone_state, AddressState::parse)?,
                email_state: word(&self.email_state, AddressState::parse)?,
                do_not_disturb: self.do_not_disturb,
                contact_mode: word(&self.contact_mode, ContactMode::parse)?,
            },
            source: word(&self.source, DataSource::parse)?,
            row_version: self.row_version,
            create_time: self.create_time.to_jiff(),
            update_time: self.update_time.to_jiff(),
            erase_time: self.erase_time.map(jiff_sqlx::Timestamp::to_jiff),
        };
        Ok(StoredCustomer { customer, data_key })
    }
}

/// Selects customers `c`; the nullability of a function's columns is told by hand.
macro_rules! select_customers {
    ($tail:tt $(, $arg:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::store::customer_rows::CustomerRow,
            r#"SELECT c.id AS "id!", c.number AS "number!", c.group_id AS "group_id!", c.home_estate_id AS "home_estate_id!",
                      c.kind AS "kind!", c.data_key AS "data_key?", c.name AS "name?", c.phone AS "phone?", c.email AS "email?",
                      c.id_number AS "id_number?", c.address AS "address?", c.preferred_language AS "preferred_language!",
                      c.phone_state AS "phone_state!", c.email_state AS "email_state!", c.do_not_disturb AS "do_not_disturb!",
                      c.contact_mode AS "contact_mode!", c.source AS "source!", c.row_version AS "row_version!",
                      c.create_time AS "create_time!", c.update_time AS "update_time!", c.erase_time AS "erase_time?" "# + $tail
            $(, $arg)*
        )
    };
}
pub(super) use select_customers;
