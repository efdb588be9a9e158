//! Inboxes: whose they are and what is in them.

use jiff::Timestamp;
use steward_kit::auth::Access;
use steward_kit::ids::{EstateId, MessageId};
use uuid::Uuid;

use super::codes::Class;
use super::ids::DeliveryId;

/// The inbox of a caller: what is theirs as a customer, theirs as an employee, and their roles' in their estates. Comes
/// from an authorised request only, so that nobody reads another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The caller's subject; also whose reading is remembered.
    pub subject: String,
    /// The customer the caller is.
    pub customer_id: Option<Uuid>,
    /// The employee the caller is.
    pub staff_subject: Option<String>,
    /// The caller's roles.
    pub roles: Vec<String>,
    /// The estates where the roles hold; none means all.
    pub estates: Option<Vec<Uuid>>,
}

impl Reader {
    /// The inbox of whoever called.
    pub fn of(access: &Access) -> Self {
        use steward_kit::auth::PrincipalKind::{Customer, Device, Service, Staff};
        let principal = &access.principal;
        let is_staff = match principal.kind {
            Staff => true,
            Customer | Service | Device => false,
        };
        Self {
            subject: principal.subject.clone(),
            customer_id: principal.customer_id.map(Uuid::from),
            staff_subject: is_staff.then(|| principal.subject.clone()),
            roles: if is_staff { principal.roles.clone() } else { Vec::new() },
            estates: match &principal.estates {
                steward_kit::auth::EstateSet::All => None,
                steward_kit::auth::EstateSet::Some(estates) => Some(estates.iter().map(|id| id.as_uuid()).collect()),
            },
        }
    }
}

/// An item as its reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxItem {
    /// The message.
    pub message_id: MessageId,
    /// When the message was created; names its partition.
    pub message_create_time: Timestamp,
    /// The delivery into the inbox.
    pub delivery_id: DeliveryId,
    /// The estate.
    pub estate_id: EstateId,
    /// What it is.
    pub class: Class,
    /// Key of its template.
    pub template_key: String,
    /// Title, written out.
    pub title: String,
    /// Text, written out.
    pub body: String,
    /// What it is about.
    pub subject_kind: String,
    /// Id of what it is about.
    pub subject_id: Option<Uuid>,
    /// The role it was sent to.
    pub staff_role: Option<String>,
    /// When it came in.
    pub create_time: Timestamp,
    /// Its place in the order of all items.
    pub position: i64,
    /// When it got its place; never earlier than that of a lower position.
    pub place_time: Timestamp,
    /// When the reader read it.
    pub read_time: Option<Timestamp>,
}
