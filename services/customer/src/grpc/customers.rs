//! CustomerService.

use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::paging::Query;
use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};

use super::{decode, decode_customers, encode, mutation, received};
use crate::app::App;
use crate::contract::Code;
use crate::domain::customer::{Customer, PersonalField};
use crate::store::customers::CustomerCursor;

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Customers(pub(super) Arc<App>);

#[tonic::async_trait]
impl pb::customer_service_server::CustomerService for Customers {
    async fn create_customer(&self, request: Request<pb::CreateCustomerRequest>) -> Result<Response<pb::CreateCustomerResponse>, Status> {
        let (access, request) = received(request)?;
        let new = decode_customers::create_customer(&request)?;
        Ok(Response::new(self.0.create_customer(&mutation::call(&access, &request)?, new).await?))
    }

    async fn get_customer(&self, request: Request<pb::GetCustomerRequest>) -> Result<Response<pb::GetCustomerResponse>, Status> {
        let (access, request) = received(request)?;
        let id = decode::only_id(&request, "customer_id", &request.customer_id)?;
        let customer = self.0.get_customer(&access, id).await?;
        Ok(Response::new(pb::GetCustomerResponse { customer: Some(encode::customer(&customer)) }))
    }

    async fn list_customers(&self, request: Request<pb::ListCustomersRequest>) -> Result<Response<pb::ListCustomersResponse>, Status> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = decode::id(&mut bad, "estate_id", &request.estate_id);
        let estate = bad.build(|| estate)?;
        let kind = Code::of_number(request.kind);
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListCustomers", &request);
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.list_customers(&access, estate, kind, &page).await?;
        let page = self.0.pages.page(&query, page.size, found, cursor)?;
        let customers = page.rows.iter().map(encode::customer).collect();
        Ok(Response::new(pb::ListCustomersResponse { customers, next_page_token: page.next_page_token }))
    }

    async fn update_customer(&self, request: Request<pb::UpdateCustomerRequest>) -> Result<Response<pb::UpdateCustomerResponse>, Status> {
        let (access, request) = received(request)?;
        let (target, change) = decode_customers::update_customer(&request)?;
        Ok(Response::new(self.0.update_customer(&mutation::call(&access, &request)?, target, change).await?))
    }

    async fn search_customers_by_phone(
        &self,
        request: Request<pb::SearchCustomersByPhoneRequest>,
    ) -> Result<Response<pb::SearchCustomersByPhoneResponse>, Status> {
        let (access, mut request) = received(request)?;
        let phone = decode_customers::search_customers_by_phone(&request)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        // The token is bound to the number in its one spelling, and does not hold it.
        let query = Query::of(
            "SearchCustomersByPhone",
            &pb::SearchCustomersByPhoneRequest { phone: phone.as_str().to_owned(), ..pb::SearchCustomersByPhoneRequest::default() },
        );
        let page = self.0.pages.request(&query, size, &token)?;
        let found = self.0.search_customers_by_phone(&access, &phone, &page).await?;
        let page = self.0.pages.page(&query, page.size, found, cursor)?;
        let customers = page.rows.iter().map(encode::customer).collect();
        Ok(Response::new(pb::SearchCustomersByPhoneResponse { customers, next_page_token: page.next_page_token }))
    }

    async fn erase_customer(&self, request: Request<pb::EraseCustomerRequest>) -> Result<Response<pb::EraseCustomerResponse>, Status> {
        let (access, request) = received(request)?;
        let (target, erasure) = decode_customers::erase_customer(&request)?;
        Ok(Response::new(self.0.erase_customer(&mutation::call(&access, &request)?, target, &erasure).await?))
    }

    async fn reveal_customer(&self, request: Request<pb::RevealCustomerRequest>) -> Result<Response<pb::RevealCustomerResponse>, Status> {
        let (access, request) = received(request)?;
        let request = decode_customers::reveal_customer(&request)?;
        let revealed = self.0.reveal_customer(&access, &request).await?;
        let plain = |field| {
            let asked = request.fields.contains(&field);
            revealed.personal.get(field).filter(|_| asked).map(str::to_owned).unwrap_or_default()
        };
        Ok(Response::new(pb::RevealCustomerResponse {
            customer_id: request.customer_id.to_string(),
            audit_id: revealed.audit_id.to_string(),
            name: plain(PersonalField::Name),
            phone: plain(PersonalField::Phone),
            email: plain(PersonalField::Email),
            id_number: plain(PersonalField::IdNumber),
            address: plain(PersonalField::Address),
        }))
    }
}

fn cursor(customer: &Customer) -> CustomerCursor {
    CustomerCursor(customer.id.as_uuid())
}
