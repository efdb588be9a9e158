//! From requests to commands: customers, tenures, timeline.

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::ids::CustomerId;
use steward_kit::pii::{Phone, Pii};
use steward_proto::customer::v1 as pb;

use super::decode::{Mask, date, id, optional_date, optional_id, required, target, text};
use crate::app::{ContactRequest, Erasure, NewCustomer, NewTenure, RevealRequest, Target, TenureEnd};
use crate::contract::Code;
use crate::domain::customer::{
    AddressState, ContactMode, Contactability, CustomerChange, CustomerKind, DataSource, Language, Personal, PersonalField,
};
use crate::domain::exit::ExitKind;
use crate::domain::identity::normalised_id_number;
use crate::domain::ids::TenureId;
use crate::domain::text::normalised;
use crate::store::tenures::TenureFilter;
use crate::store::timeline::TimelineFilter;

fn phone(bad: &mut Violations, value: &str) -> Option<Phone> {
    if value.trim().is_empty() {
        return None;
    }
    let phone = Phone::parse(value).ok();
    if phone.is_none() {
        bad.add("phone", "PHONE_INVALID", "must be a mainland mobile, a landline with its area code, or a 400 number");
    }
    phone
}

fn language(bad: &mut Violations, value: &str) -> Option<Language> {
    if value.is_empty() {
        return Some(Language::Chinese);
    }
    let language = Language::parse(value);
    if language.is_none() {
        bad.add("preferred_language", "LANGUAGE_UNKNOWN", "must be zh-CN or en");
    }
    language
}

/// A text that may be empty, as personal data.
fn personal(value: &str) -> Option<Pii<String>> {
    let value = normalised(value);
    if value.is_empty() { None } else { Some(value.into()) }
}

pub(super) fn create_customer(request: &pb::CreateCustomerRequest) -> Result<NewCustomer> {
    let mut bad = Violations::of(request);
    let kind: Option<CustomerKind> = required(&mut bad, "kind", request.kind);
    let home_estate_id = id(&mut bad, "home_estate_id", &request.home_estate_id);
    let name = text(&mut bad, "name", &request.name);
    let phone = phone(&mut bad, &request.phone);
    let language = language(&mut bad, &request.preferred_language);
    let id_number = match (kind, request.id_number.trim()) {
        (Some(kind), typed) if !typed.is_empty() => {
            let number = normalised_id_number(kind, typed);
            if number.is_none() {
                bad.add("id_number", "ID_NUMBER_INVALID", "must have a right check digit");
            }
            number
        }
        (Some(_) | None, _) => None,
    };
    bad.build(|| {
        Some(NewCustomer {
            kind: kind?,
            home_estate_id: home_estate_id?,
            personal: Personal {
                name: name?.into(),
                phone: phone.map(|phone| Pii::new(phone.as_str().to_owned())),
                email: personal(&request.email),
                id_number: id_number.map(Pii::new),
                address: personal(&request.address),
            },
            language: language?,
            contact_mode: Code::of_number(request.contact_mode).unwrap_or(ContactMode::Unspecified),
            source: Code::of_number(request.source).unwrap_or(DataSource::Unspecified),
        })
    })
}

pub(super) fn update_customer(request: &pb::UpdateCustomerRequest) -> Result<(Target<CustomerId>, CustomerChange)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, "customer_id", &request.customer_id, &request.etag);
    let allowed = ["name", "phone", "email", "id_number", "address", "preferred_language", "contactability"];
    let mask = Mask::of(&mut bad, request.update_mask.as_ref(), &allowed);
    let change = CustomerChange {
        name: mask.pick("name", || text(&mut bad, "name", &request.name).map(Pii::new)),
        phone: mask.pick("phone", || Some(phone(&mut bad, &request.phone))),
        email: mask.pick("email", || Some(personal(&request.email))),
        id_number: mask.pick("id_number", || Some(personal(&request.id_number))),
        address: mask.pick("address", || Some(personal(&request.address))),
        language: mask.pick("preferred_language", || language(&mut bad, &request.preferred_language)),
        contactability: mask.pick("contactability", || contactability(&mut bad, request.contactability.as_ref())),
    };
    bad.build(|| Some((target?, change)))
}

fn contactability(bad: &mut Violations, given: Option<&pb::Contactability>) -> Option<Contactability> {
    let given = bad.required("contactability", given)?;
    Some(Contactability {
        phone_state: Code::of_number(given.phone_state).unwrap_or(AddressState::Unknown),
        email_state: Code::of_number(given.email_state).unwrap_or(AddressState::Unknown),
        do_not_disturb: given.do_not_disturb,
        contact_mode: Code::of_number(given.contact_mode).unwrap_or(ContactMode::Unspecified),
    })
}

pub(super) fn search_customers_by_phone(request: &pb::SearchCustomersByPhoneRequest) -> Result<Phone> {
    let mut bad = Violations::of(request);
    let phone = phone(&mut bad, &request.phone);
    if request.phone.trim().is_empty() {
        bad.required("phone", phone.as_ref());
    }
    bad.build(|| phone)
}

fn fields(bad: &mut Violations, numbers: &[i32]) -> Vec<PersonalField> {
    let field = |(at, number): (usize, &i32)| required(bad, &format!("fields[{at}]"), *number);
    numbers.iter().enumerate().filter_map(field).collect()
}

pub(super) fn reveal_customer(request: &pb::RevealCustomerRequest) -> Result<RevealRequest> {
    let mut bad = Violations::of(request);
    let customer_id = id(&mut bad, "customer_id", &request.customer_id);
    let fields = fields(&mut bad, &request.fields);
    let work_order_id = optional_id(&mut bad, "work_order_id", &request.work_order_id);
    let reason = text(&mut bad, "reason", &request.reason);
    if request.purpose() == pb::RevealPurpose::WorkOrderContact && request.work_order_id.is_empty() {
        bad.add("work_order_id", "WORK_ORDER_REQUIRED", "must be given for purpose work order contact");
    }
    bad.build(|| {
        let purpose = request.purpose().as_str_name().trim_start_matches("REVEAL_PURPOSE_").to_lowercase();
        Some(RevealRequest { customer_id: customer_id?, fields, purpose, reason: reason?, work_order_id })
    })
}

pub(super) fn erase_customer(request: &pb::EraseCustomerRequest) -> Result<(Target<CustomerId>, Erasure)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, "customer_id", &request.customer_id, &request.etag);
    let basis = required(&mut bad, "basis", request.basis);
    let reason = text(&mut bad, "reason", &request.reason);
    bad.build(|| Some((target?, Erasure { basis: basis?, reason: reason? })))
}

pub(super) fn resolve_contact(request: &pb::ResolveContactRequest) -> Result<ContactRequest> {
    let mut bad = Violations::of(request);
    let customer_id = id(&mut bad, "customer_id", &request.customer_id);
    let message_id = id(&mut bad, "message_id", &request.message_id);
    let fields = fields(&mut bad, &request.fields);
    if fields.iter().any(|field| matches!(field, PersonalField::IdNumber | PersonalField::Address)) {
        bad.add("fields", "enum.in", "may name: name, phone, e-mail");
    }
    bad.build(|| {
        let purpose = request.purpose().as_str_name().trim_start_matches("CONTACT_PURPOSE_").to_lowercase();
        Some(ContactRequest { customer_id: customer_id?, purpose, message_id: message_id?, fields })
    })
}

pub(super) fn create_tenure(request: &pb::CreateTenureRequest) -> Result<NewTenure> {
    let mut bad = Violations::of(request);
    let unit_id = id(&mut bad, "unit_id", &request.unit_id);
    let customer_id = id(&mut bad, "customer_id", &request.customer_id);
    let role = required(&mut bad, "role", request.role);
    let from_date = date(&mut bad, "from_date", &request.from_date);
    let to_date = optional_date(&mut bad, "to_date", &request.to_date);
    bad.build(|| Some(NewTenure { unit_id: unit_id?, customer_id: customer_id?, role: role?, from_date: from_date?, to_date }))
}

pub(super) fn end_tenure(request: &pb::EndTenureRequest) -> Result<(Target<TenureId>, TenureEnd)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, "tenure_id", &request.tenure_id, &request.etag);
    let to_date = date(&mut bad, "to_date", &request.to_date);
    let exit_kind: Option<ExitKind> = Code::of_number(request.exit_kind);
    if exit_kind.is_some_and(|kind| !kind.ends_a_tenure()) {
        bad.add("exit_kind", "EXIT_KIND_UNSUITED", "is not an exit that a tenure ends with");
    }
    bad.build(|| Some((target?, TenureEnd { to_date: to_date?, exit_kind })))
}

pub(super) fn list_tenures(request: &pb::ListTenuresRequest) -> Result<TenureFilter> {
    let mut bad = Violations::of(request);
    let unit_id = optional_id(&mut bad, "unit_id", &request.unit_id);
    let customer_id = optional_id(&mut bad, "customer_id", &request.customer_id);
    let on_date = optional_date(&mut bad, "on_date", &request.on_date);
    filter_required(&mut bad, &request.unit_id, &request.customer_id);
    bad.build(|| Some(TenureFilter { id: None, unit_id, customer_id, on_date }))
}

pub(super) fn list_timeline_entries(request: &pb::ListTimelineEntriesRequest) -> Result<TimelineFilter> {
    let mut bad = Violations::of(request);
    let customer_id = optional_id(&mut bad, "customer_id", &request.customer_id);
    let unit_id = optional_id(&mut bad, "unit_id", &request.unit_id);
    let from_time = bad.optional_timestamp("from_time", request.from_time.as_ref());
    let to_time = bad.optional_timestamp("to_time", request.to_time.as_ref());
    let kinds = request.kinds.iter().enumerate();
    let kinds = kinds.filter_map(|(at, kind)| required(&mut bad, &format!("kinds[{at}]"), *kind)).collect();
    filter_required(&mut bad, &request.unit_id, &request.customer_id);
    bad.build(|| Some(TimelineFilter { customer_id, unit_id, kinds, from_time, to_time }))
}

fn filter_required(bad: &mut Violations, unit_id: &str, customer_id: &str) {
    if unit_id.is_empty() && customer_id.is_empty() {
        bad.add("unit_id", "FILTER_REQUIRED", "unit_id, customer_id or both must be given");
    }
}
