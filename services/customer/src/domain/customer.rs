//! Customers: persons and organisations.

use jiff::Timestamp;
use steward_kit::Error;
use steward_kit::error::WrongState;
use steward_kit::ids::{CustomerId, EstateId, GroupId};
use steward_kit::pii::{Phone, Pii, mask_address, mask_email, mask_id_number, mask_name, mask_phone};

use steward_kit::codes;

codes! {
    /// Sorts of customers.
    CustomerKind {
        /// A natural person.
        Person = "person",
        /// A company or another organisation.
        Organisation = "organisation",
    }
}

codes! {
    /// What is known of a phone number or an e-mail address (CP-36).
    AddressState {
        /// Not tried yet.
        Unknown = "unknown",
        /// Proven.
        Valid = "valid",
        /// Proven wrong.
        Invalid = "invalid",
    }
}

codes! {
    /// How a customer wants to be reached (CP-55).
    ContactMode {
        /// Not stated.
        Unspecified = "unspecified",
        /// Inbox and e-mail first.
        Online = "online",
        /// Phone or a visit.
        Offline = "offline",
    }
}

codes! {
    /// Where a record came from (CP-34).
    DataSource {
        /// Not recorded.
        Unspecified = "unspecified",
        /// Typed in by staff.
        Staff = "staff",
        /// A file.
        Import = "import",
        /// The customer.
        App = "app",
        /// A call.
        Hotline = "hotline",
        /// A visit.
        HomeVisit = "home_visit",
    }
}

codes! {
    /// Why personal data are erased. In audit entries.
    ErasureBasis {
        /// The person asked for it.
        PersonRequest = "person_request",
        /// What they were kept for is done.
        PurposeEnded = "purpose_ended",
        /// The time for which they may be kept is over.
        RetentionEnded = "retention_ended",
        /// The consent they were kept on was withdrawn.
        ConsentWithdrawn = "consent_withdrawn",
        /// They should not have been kept.
        Unlawful = "unlawful",
        /// A duty by law.
        LegalDuty = "legal_duty",
    }
}

codes! {
    /// Languages of messages.
    Language {
        /// Chinese, simplified.
        Chinese = "zh-CN",
        /// English.
        English = "en",
    }
}

codes! {
    /// Personal data by name. In masks, audit entries and events.
    PersonalField {
        /// The name.
        Name = "name",
        /// The phone.
        Phone = "phone",
        /// The e-mail address.
        Email = "email",
        /// The identity document's number.
        IdNumber = "id_number",
        /// The postal address.
        Address = "address",
    }
}

/// The personal data of a customer, open. Prints as `***`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Personal {
    /// Name; empty only after erasure.
    pub name: Pii<String>,
    /// Phone in the one spelling of [`Phone`].
    pub phone: Option<Pii<String>>,
    /// E-mail address.
    pub email: Option<Pii<String>>,
    /// Identity number in its one spelling.
    pub id_number: Option<Pii<String>>,
    /// Postal address.
    pub address: Option<Pii<String>>,
}

impl Personal {
    /// One field in plain.
    pub fn get(&self, field: PersonalField) -> Option<&str> {
        let optional = match field {
            PersonalField::Name => return Some(self.name.expose()).filter(|name| !name.is_empty()).map(String::as_str),
            PersonalField::Phone => &self.phone,
            PersonalField::Email => &self.email,
            PersonalField::IdNumber => &self.id_number,
            PersonalField::Address => &self.address,
        };
        optional.as_ref().map(|value| value.expose().as_str())
    }

    /// What an answer shows. An organisation's name is public.
    pub fn masked(&self, kind: CustomerKind) -> Masked {
        let show = |field, mask: fn(&str) -> String| self.get(field).map(mask).unwrap_or_default();
        Masked {
            name: match kind {
                CustomerKind::Person => show(PersonalField::Name, mask_name),
                CustomerKind::Organisation => self.name.expose().clone(),
            },
            phone: show(PersonalField::Phone, mask_phone),
            email: show(PersonalField::Email, mask_email),
            id_number: show(PersonalField::IdNumber, mask_id_number),
            address: show(PersonalField::Address, mask_address),
        }
    }
}

/// Personal data as answers show them; empty when not recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Masked {
    /// `王**`; an organisation's in full.
    pub name: String,
    /// `138****5678`.
    pub phone: String,
    /// `w***@example.cn`.
    pub email: String,
    /// First and last character.
    pub id_number: String,
    /// The first characters.
    pub address: String,
}

/// Whether and how a customer can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contactability {
    /// What is known of the phone.
    pub phone_state: AddressState,
    /// What is known of the e-mail address.
    pub email_state: AddressState,
    /// The customer asked to be left alone.
    pub do_not_disturb: bool,
    /// How the customer wants to be reached.
    pub contact_mode: ContactMode,
}

/// A customer as recorded, personal data open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The id.
    pub id: CustomerId,
    /// What people say on the phone, as a number.
    pub number: i64,
    /// Person or organisation.
    pub kind: CustomerKind,
    /// The property group.
    pub group_id: GroupId,
    /// The estate that recorded the customer first.
    pub home_estate_id: EstateId,
    /// Personal data.
    pub personal: Personal,
    /// Language for messages.
    pub language: Language,
    /// Whether and how the customer can be reached.
    pub contactability: Contactability,
    /// Where the record came from.
    pub source: DataSource,
    /// Rises with each change.
    pub row_version: i64,
    /// When the customer was recorded.
    pub create_time: Timestamp,
    /// When the record last changed.
    pub update_time: Timestamp,
    /// When the customer was erased; `None` for every other.
    pub erase_time: Option<Timestamp>,
}

/// What to change in a customer; `None` leaves a field as it is, an inner `None` takes it away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerChange {
    /// New name.
    pub name: Option<Pii<String>>,
    /// New phone.
    pub phone: Option<Option<Phone>>,
    /// New e-mail address.
    pub email: Option<Option<Pii<String>>>,
    /// New identity number, as typed; its spelling depends on the kind of customer.
    pub id_number: Option<Option<Pii<String>>>,
    /// New postal address.
    pub address: Option<Option<Pii<String>>>,
    /// New language.
    pub language: Option<Language>,
    /// New contactability.
    pub contactability: Option<Contactability>,
}

impl Customer {
    /// `CU-000123`.
    pub fn number_text(&self) -> String {
        format!("CU-{:06}", self.number)
    }

    /// The customer after `change` at `now`, one version on, and the names of the fields that really changed. A new
    /// phone or e-mail address is one that nobody has tried.
    #[must_use]
    pub fn changed(&self, change: CustomerChange, now: Timestamp) -> (Self, Vec<&'static str>) {
        let mut new = Self { row_version: self.row_version + 1, update_time: now, ..self.clone() };
        if let Some(contactability) = change.contactability {
            new.contactability = contactability;
        }
        if let Some(language) = change.language {
            new.language = language;
        }
        if let Some(name) = change.name {
            new.personal.name = name;
        }
        if let Some(phone) = change.phone {
            new.personal.phone = phone.map(|phone| Pii::new(phone.as_str().to_owned()));
        }
        if let Some(email) = change.email {
            new.personal.email = email;
        }
        if let Some(id_number) = change.id_number {
            new.personal.id_number = id_number;
        }
        if let Some(address) = change.address {
            new.personal.address = address;
        }
        if new.personal.phone != self.personal.phone {
            new.contactability.phone_state = AddressState::Unknown;
        }
        if new.personal.email != self.personal.email {
            new.contactability.email_state = AddressState::Unknown;
        }
        let fields = self.differing_fields(&new);
        (new, fields)
    }

    /// The customer without anything that says who they are, one version on; left alone by every message (CP-51).
    #[must_use]
    pub fn erased(&self, now: Timestamp) -> Self {
        Self {
            personal: Personal::default(),
            contactability: Contactability {
                phone_state: AddressState::Unknown,
                email_state: AddressState::Unknown,
                do_not_disturb: true,
                contact_mode: ContactMode::Unspecified,
            },
            row_version: self.row_version + 1,
            update_time: now,
            erase_time: Some(now),
            ..self.clone()
        }
    }

    /// Refuses when the customer was erased: there is nothing left to show or to change.
    ///
    /// # Errors
    /// `CUSTOMER_ERASED`.
    pub fn check_not_erased(&self) -> Result<(), Error> {
        let Some(at) = self.erase_time else { return Ok(()) };
        let detail = format!("the customer was erased at {at}");
        Err(WrongState::new("CUSTOMER_ERASED", format!("customer {}", self.id), "erased", NOTHING, detail).into())
    }

    /// The refusal to erase somebody who lives or owns here.
    pub fn tenure_open(&self) -> Error {
        let detail = "a tenure of the customer lasts beyond today: end it first";
        WrongState::new("TENURE_OPEN", format!("customer {}", self.id), "current", ["EndTenure"], detail).into()
    }

    fn differing_fields(&self, new: &Self) -> Vec<&'static str> {
        let mut fields: Vec<&'static str> = PersonalField::ALL
            .iter()
            .copied()
            .filter(|field| self.personal.get(*field) != new.personal.get(*field))
            .map(PersonalField::as_str)
            .collect();
        if self.language != new.language {
            fields.push("preferred_language");
        }
        if self.contactability != new.contactability {
            fields.push("contactability");
        }
        fields
    }
}

/// No verb is left.
const NOTHING: [&str; 0] = [];
