//! Reading orders: one, lists, search, history. One trip each.

use steward_kit::auth::Access;
use steward_kit::ids::{CustomerId, EstateId, WorkOrderId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};

use super::App;
use crate::domain::{HistoryEntry, State, WorkOrder};
use crate::store::{self, OfCustomer, OrderKey};

/// Which orders a list shows.
#[derive(Debug)]
pub(crate) struct ListFilter {
    /// Orders of this estate.
    pub(crate) estate: Option<EstateId>,
    /// Orders of this customer.
    pub(crate) customer: Option<CustomerId>,
    /// Only these states.
    pub(crate) states: Vec<State>,
    /// Only of this assignee.
    pub(crate) assignee: Option<String>,
}

impl App {
    /// Orders of an estate or of a customer, newest first, one more than the page shows.
    pub(crate) async fn list_work_orders(
        &self,
        access: &Access,
        filter: &ListFilter,
        page: &PageRequest<OrderKey>,
    ) -> Result<Vec<WorkOrder>> {
        let (db, cipher, scope) = (self.db.pool(), &self.cipher, &access.scope);
        let states = if filter.states.is_empty() { State::ALL } else { &filter.states };
        // A resident's own orders are a list of their own, whatever estate they ask for.
        let customer = scope.own_customer_id().or(filter.customer);
        let assignee = filter.assignee.as_deref();
        match (customer, filter.estate, assignee) {
            (Some(customer), estate, _) => {
                if let Some(estate) = estate {
                    scope.estate(estate)?;
                }
                if filter.customer.is_some_and(|asked| asked != customer) {
                    return Ok(Vec::new());
                }
                store::list_work_orders_of_customer(db, cipher, scope, customer, &OfCustomer { estate, assignee, states }, page).await
            }
            (None, Some(estate), Some(assignee)) => {
                let estate = scope.estate(estate)?;
                store::list_work_orders_of_assignee(db, cipher, scope, estate, assignee, states, page).await
            }
            (None, Some(estate), None) => {
                let estate = scope.estate(estate)?;
                store::list_work_orders_of_estate(db, cipher, scope, estate, states, page).await
            }
            (None, None, _) => Err(Error::invalid("estate_id", "required", "give an estate or a customer")),
        }
    }

    /// Orders of an estate by the end of their number or the beginning of their category, newest first.
    pub(crate) async fn search_work_orders(
        &self,
        access: &Access,
        estate: EstateId,
        query: &str,
        page: &PageRequest<OrderKey>,
    ) -> Result<Vec<WorkOrder>> {
        let estate = access.scope.estate(estate)?;
        let number: String = query.to_uppercase().chars().rev().collect();
        let (number, category) = (pattern(&number), pattern(&query.to_lowercase()));
        store::search_work_orders(self.db.pool(), &self.cipher, &access.scope, estate, &number, &category, page).await
    }

    /// History of one order after a position, oldest first, one more than the page shows. Two trips.
    pub(crate) async fn list_history(&self, access: &Access, id: WorkOrderId, page: &PageRequest<u32>) -> Result<Vec<HistoryEntry>> {
        let order = self.load(access, id).await?;
        store::list_history(self.db.pool(), &order, page.after.unwrap_or(0), page.size.limit()).await
    }
}

/// A `LIKE` pattern for what begins with `text`, which may hold anything.
fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn what_people_type_is_no_pattern() {
        assert_eq!(pattern("50%_a\\"), "50\\%\\_a\\\\%");
    }
}
