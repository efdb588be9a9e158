//! Sealing and opening of personal data: a key per person, wrapped by the service's keyring (XC-45).

use std::sync::Arc;

use steward_kit::crypto::{BlindIndex, DataKey, FieldCipher, Keyring};
use steward_kit::idempotency::RequestKey;
use steward_kit::ids::CustomerId;
use steward_kit::paging::PageTokens;
use steward_kit::pii::Pii;
use steward_kit::{Error, Result};

use super::customer::{Personal, PersonalField};
use super::ids::EstateImportId;
use super::text::name_key;

/// Personal data as the database keeps them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sealed {
    /// The person's key, wrapped; `None` after erasure.
    pub data_key: Option<Vec<u8>>,
    /// Sealed fields.
    pub name: Option<Vec<u8>>,
    /// Sealed phone.
    pub phone: Option<Vec<u8>>,
    /// Sealed e-mail address.
    pub email: Option<Vec<u8>>,
    /// Sealed identity number.
    pub id_number: Option<Vec<u8>>,
    /// Sealed address.
    pub address: Option<Vec<u8>>,
    /// Keyed hash of the name.
    pub name_index: Option<Vec<u8>>,
    /// Keyed hash of the phone.
    pub phone_index: Option<Vec<u8>>,
    /// Keyed hash of the identity number.
    pub id_number_index: Option<Vec<u8>>,
}

/// The service's keys, at work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Vault {
    cipher: FieldCipher,
    index: BlindIndex,
}

impl Vault {
    /// A vault over `keyring`.
    pub fn new(keyring: Arc<Keyring>) -> Self {
        Self { index: BlindIndex::new(&keyring), cipher: FieldCipher::new(keyring) }
    }

    /// Page tokens sealed by the same keyring.
    pub fn page_tokens(&self) -> PageTokens {
        PageTokens::new(self.cipher.clone())
    }

    /// Seals everything of a person, under the key they have or a new one.
    ///
    /// # Errors
    /// `wrapped` does not unwrap: the keyring lost a key.
    pub fn seal(&self, id: CustomerId, wrapped: Option<&[u8]>, personal: &Personal) -> Result<Sealed> {
        let (key, wrapped) = match wrapped {
            // Under the current key from now on: a write must not bring back what the job of a rotation has wrapped anew.
            Some(wrapped) => {
                let key = self.cipher.unwrap(id, wrapped)?;
                (key, self.cipher.rewrap(id, wrapped)?.unwrap_or_else(|| wrapped.to_vec()))
            }
            None => {
                let key = DataKey::generate();
                let wrapped = self.cipher.wrap(id, &key);
                (key, wrapped)
            }
        };
        let seal = |field: PersonalField| personal.get(field).map(|plain| key.seal(place(id, field), plain));
        Ok(Sealed {
            name: seal(PersonalField::Name),
            phone: seal(PersonalField::Phone),
            email: seal(PersonalField::Email),
            id_number: seal(PersonalField::IdNumber),
            address: seal(PersonalField::Address),
            name_index: personal.get(PersonalField::Name).map(|name| self.name_index(name)),
            phone_index: personal.get(PersonalField::Phone).map(|phone| self.phone_index(phone)),
            id_number_index: personal.get(PersonalField::IdNumber).map(|number| self.id_number_index(number)),
            data_key: Some(wrapped),
        })
    }

    /// Opens everything of a person. An erased person is empty.
    ///
    /// # Errors
    /// A value that does not open: damaged, moved, or sealed by a lost key.
    pub fn open(&self, id: CustomerId, sealed: &Sealed) -> Result<Personal> {
        let Some(wrapped) = &sealed.data_key else { return Ok(Personal::default()) };
        let key = self.cipher.unwrap(id, wrapped)?;
        let open = |field: PersonalField, value: &Option<Vec<u8>>| -> Result<Option<Pii<String>>> {
            value.as_deref().map(|value| key.open_text(place(id, field), value).map_err(Error::from)).transpose()
        };
        Ok(Personal {
            name: open(PersonalField::Name, &sealed.name)?.unwrap_or_default(),
            phone: open(PersonalField::Phone, &sealed.phone)?,
            email: open(PersonalField::Email, &sealed.email)?,
            id_number: open(PersonalField::IdNumber, &sealed.id_number)?,
            address: open(PersonalField::Address, &sealed.address)?,
        })
    }

    /// Finds a phone in its one spelling.
    pub fn phone_index(&self, normalised: &str) -> Vec<u8> {
        self.index.of("phone", normalised).to_vec()
    }

    /// Finds an identity number in its one spelling.
    pub fn id_number_index(&self, normalised: &str) -> Vec<u8> {
        self.index.of("id_number", normalised).to_vec()
    }

    /// Finds a day of the year, such as `solar:05-20`.
    pub fn day_index(&self, day: &str) -> Vec<u8> {
        self.index.of("key_date", day).to_vec()
    }

    /// Finds a name, however it is spaced.
    pub fn name_index(&self, name: &str) -> Vec<u8> {
        self.index.of("name", &name_key(name)).to_vec()
    }

    /// What the audit keeps of a person's values (CP-54).
    ///
    /// # Errors
    /// The person's key does not unwrap, or there is none.
    pub fn fingerprints(&self, id: CustomerId, wrapped: Option<&[u8]>) -> Result<Fingerprints> {
        let wrapped = wrapped.ok_or_else(|| Error::bug(format_args!("customer {id} has no key")))?;
        Ok(Fingerprints(self.person_key(id, wrapped)?))
    }

    /// A person's key.
    ///
    /// # Errors
    /// It does not unwrap.
    pub(super) fn person_key(&self, id: CustomerId, wrapped: &[u8]) -> Result<DataKey> {
        Ok(self.cipher.unwrap(id, wrapped)?)
    }

    /// What seals, for the job of a key rotation.
    pub fn cipher(&self) -> FieldCipher {
        self.cipher.clone()
    }

    /// Seals the answer that a repeated request gets.
    pub fn seal_answer(&self, key: &RequestKey, answer: &[u8]) -> Vec<u8> {
        self.cipher.seal(answer_place(key), answer)
    }

    /// Opens it.
    ///
    /// # Errors
    /// The answer is damaged or another request's.
    pub fn open_answer(&self, key: &RequestKey, sealed: &[u8]) -> Result<Vec<u8>> {
        Ok(self.cipher.open(answer_place(key), sealed)?.to_vec())
    }

    /// A new key for the file of an import, wrapped.
    pub fn new_file_key(&self, import: EstateImportId) -> Vec<u8> {
        self.cipher.wrap(import, &DataKey::generate())
    }

    /// The key of an import's file.
    ///
    /// # Errors
    /// It does not unwrap.
    pub fn file_key(&self, import: EstateImportId, wrapped: &[u8]) -> Result<FileKey> {
        Ok(FileKey { import, key: self.cipher.unwrap(import, wrapped)? })
    }
}

/// What the audit keeps of one person's values: enough to tell whether two were the same, nothing to tell what they were,
/// and nothing at all once the person's key is destroyed.
#[derive(Debug)]
pub struct Fingerprints(DataKey);

impl Fingerprints {
    /// Of one value.
    pub fn of(&self, field: PersonalField, value: Option<&str>) -> Option<String> {
        value.map(|value| hex::encode(&self.0.fingerprint(field.as_str(), value)[..16]))
    }
}

/// Seals the parts of one import's file.
#[derive(Debug)]
pub struct FileKey {
    import: EstateImportId,
    key: DataKey,
}

impl FileKey {
    /// Seals the part that begins at `offset`.
    pub fn seal(&self, offset: i64, part: &[u8]) -> Vec<u8> {
        self.key.seal(self.place(offset), part)
    }

    /// Opens the part that begins at `offset`.
    ///
    /// # Errors
    /// The part is damaged or from elsewhere.
    pub fn open(&self, offset: i64, sealed: &[u8]) -> Result<Vec<u8>> {
        Ok(self.key.open(self.place(offset), sealed)?.to_vec())
    }

    fn place(&self, offset: i64) -> String {
        format!("customer.estate_import_parts/{}/{offset}", self.import)
    }
}

fn answer_place(key: &RequestKey) -> String {
    claim_place(&key.principal, &key.method, key.request_id)
}

/// Where the answer of a claim is sealed for.
pub fn claim_place(principal: &str, method: &str, request_id: impl std::fmt::Display) -> String {
    format!("customer.idempotency_claims/{principal}/{method}/{request_id}")
}

/// Where a field was sealed for; a ciphertext moved to another row or column does not open.
fn place(id: CustomerId, field: PersonalField) -> String {
    format!("customer.customers/{id}/{}", field.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::new(Arc::new(Keyring::parse(&Keyring::generate_text()).expect("a keyring")))
    }

    /// XC-45
    #[test]
    fn what_is_sealed_opens_for_its_person_only() {
        let (vault, id) = (vault(), CustomerId::new());
        let personal =
            Personal { name: "张三".to_owned().into(), phone: Some("+8619900001234".to_owned().into()), ..Personal::default() };
        let sealed = vault.seal(id, None, &personal).expect("seals");
        assert_eq!(vault.open(id, &sealed).expect("opens"), personal);
        assert!(vault.open(CustomerId::new(), &sealed).is_err());
        let again = vault.seal(id, sealed.data_key.as_deref(), &personal).expect("seals");
        assert_eq!((&again.data_key, &again.phone_index), (&sealed.data_key, &sealed.phone_index));
        assert_ne!(again.phone, sealed.phone);
    }

    #[test]
    fn without_the_key_nothing_is_left() {
        let (vault, id) = (vault(), CustomerId::new());
        let personal = Personal { name: "张三".to_owned().into(), ..Personal::default() };
        let sealed = Sealed { data_key: None, ..vault.seal(id, None, &personal).expect("seals") };
        assert_eq!(vault.open(id, &sealed).expect("opens"), Personal::default());
    }
}
