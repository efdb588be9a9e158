//! Customers as the caller may see them, masked. One trip each.

use steward_kit::auth::Access;
use steward_kit::ids::{CustomerId, EstateId};
use steward_kit::paging::PageRequest;
use steward_kit::pii::Phone;
use steward_kit::{Error, Result};

use super::App;
use crate::domain::customer::{Customer, CustomerKind};
use crate::store::customer_rows::StoredCustomer;
use crate::store::customers::{CustomerCursor, find_customer, list_customers, list_customers_by_phone};

impl App {
    pub(crate) async fn get_customer(&self, access: &Access, id: CustomerId) -> Result<Customer> {
        let found = find_customer(self.db.pool(), &self.vault, &access.scope, id, self.clock.now()).await?;
        found.map(|stored| stored.customer).ok_or_else(|| Error::not_found("customer", id))
    }

    pub(crate) async fn list_customers(
        &self,
        access: &Access,
        estate: EstateId,
        kind: Option<CustomerKind>,
        page: &PageRequest<CustomerCursor>,
    ) -> Result<Vec<Customer>> {
        let estate = access.scope.estate(estate)?;
        let found = list_customers(self.db.pool(), &self.vault, &access.scope, estate, kind, page, self.clock.now()).await?;
        Ok(customers(found))
    }

    /// Found by the keyed index of the one spelling: nothing is decrypted to search.
    pub(crate) async fn search_customers_by_phone(
        &self,
        access: &Access,
        phone: &Phone,
        page: &PageRequest<CustomerCursor>,
    ) -> Result<Vec<Customer>> {
        let index = self.vault.phone_index(phone.as_str());
        let found = list_customers_by_phone(self.db.pool(), &self.vault, &access.scope, &index, page, self.clock.now()).await?;
        Ok(customers(found))
    }
}

fn customers(found: Vec<StoredCustomer>) -> Vec<Customer> {
    found.into_iter().map(|stored| stored.customer).collect()
}
