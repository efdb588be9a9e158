//! ContactService, between services only.

use std::sync::Arc;

use steward_proto::customer::v1 as pb;
use tonic::{Request, Response, Status};

use super::{decode_customers, received};
use crate::app::App;
use crate::domain::customer::PersonalField;
use crate::events::publish::contactability;

/// The service.
#[derive(Clone, Debug)]
pub(crate) struct Contacts(pub(super) Arc<App>);

#[tonic::async_trait]
impl pb::contact_service_server::ContactService for Contacts {
    async fn resolve_contact(&self, request: Request<pb::ResolveContactRequest>) -> Result<Response<pb::ResolveContactResponse>, Status> {
        let (access, request) = received(request)?;
        let request = decode_customers::resolve_contact(&request)?;
        let contact = self.0.resolve_contact(&access, &request).await?;
        let plain = |field| {
            let asked = request.fields.contains(&field);
            contact.get(field).filter(|_| asked).map(str::to_owned).unwrap_or_default()
        };
        Ok(Response::new(pb::ResolveContactResponse {
            name: plain(PersonalField::Name),
            phone: plain(PersonalField::Phone),
            email: plain(PersonalField::Email),
            preferred_language: contact.customer.language.as_str().to_owned(),
            contactability: Some(contactability(contact.customer.contactability)),
        }))
    }
}
