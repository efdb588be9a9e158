//! What is known of a customer beyond the record. Each mutation two trips, the customer and the write, and one more where a unit
//! or its day is asked for.

use jiff::Timestamp;
use jiff::civil::Date;
use prost::Message;
use steward_kit::auth::Access;
use steward_kit::calendar::LunarBirthday;
use steward_kit::ids::{CustomerId, UnitId};
use steward_kit::paging::PageRequest;
use steward_kit::{Error, Result};
use steward_kit_store::Effects;
use uuid::Uuid;

use super::keep_facts::local_date;
use super::{App, Call};
use crate::domain::ids::KeyDateId;
use crate::domain::key_date::{KeyDateKind, day_of};
use crate::domain::profile::{Attribute, AttributeKind, KeyDate};
use crate::store::customer_rows::StoredCustomer;
use crate::store::customers::find_customer;
use crate::store::estates::find_estate;
use crate::store::profiles::{
    HeldTag, NewUse, StoredDate, add_use, delete_key_date, estates_of, is_member_on, list_attributes, list_held_tags, list_key_dates,
    replace_key_date, upsert_attribute,
};
use crate::store::units::find_unit;

/// An attribute to record.
#[derive(Debug, Clone)]
pub(crate) struct NewAttribute {
    pub(crate) customer_id: CustomerId,
    pub(crate) kind: AttributeKind,
    pub(crate) value: String,
    pub(crate) source: String,
    pub(crate) consent_id: Option<Uuid>,
}

/// A key date to record.
#[derive(Debug, Clone)]
pub(crate) struct NewKeyDate {
    pub(crate) customer_id: CustomerId,
    pub(crate) kind: KeyDateKind,
    pub(crate) date: Date,
    pub(crate) is_lunar: bool,
    pub(crate) unit_id: Option<UnitId>,
    pub(crate) source: String,
    pub(crate) consent_id: Option<Uuid>,
}

/// Uses of a service to count.
#[derive(Debug, Clone)]
pub(crate) struct NewUsage {
    pub(crate) unit_id: UnitId,
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) service_code: String,
    pub(crate) use_count: i32,
    pub(crate) use_time: Timestamp,
}

/// Where a page of tags ended.
pub(crate) type HeldTagCursor = (String, Uuid);

fn consent_required() -> Error {
    Error::invalid("consent_id", "CONSENT_REQUIRED", "must name the consent to keep what is personal")
}

impl App {
    pub(crate) async fn set_customer_attribute<R: Message + Default>(&self, call: &Call<'_, Attribute, R>, new: NewAttribute) -> Result<R> {
        if !new.kind.codes().contains(&new.value.as_str()) {
            let text = format!("must be one of: {}", new.kind.codes().join(", "));
            return Err(Error::invalid("value", "ATTRIBUTE_VALUE_UNKNOWN", text));
        }
        if new.kind.needs_consent() && new.consent_id.is_none() {
            return Err(consent_required());
        }
        self.transact(call, "customer", None, || async {
            let now = self.clock.now();
            self.stored_customer(call.access, new.customer_id).await?;
            let NewAttribute { customer_id, kind, value, source, consent_id } = new.clone();
            let attribute = Attribute { customer_id, kind, value, source, consent_id, record_time: now };
            let answer = (call.answer)(&attribute);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let by = &call.access.principal.subject;
            let written = upsert_attribute(self.db.pool(), &attribute, by, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    pub(crate) async fn list_customer_attributes(
        &self,
        access: &Access,
        customer: CustomerId,
        page: &PageRequest<String>,
    ) -> Result<Vec<Attribute>> {
        self.stored_customer(access, customer).await?;
        list_attributes(self.db.pool(), customer, page.after.as_deref(), page.size.limit()).await
    }

    pub(crate) async fn set_key_date<R: Message + Default>(&self, call: &Call<'_, KeyDate, R>, new: NewKeyDate) -> Result<R> {
        let day = check_key_date(&new)?;
        self.transact(call, "customer", None, || async {
            let now = self.clock.now();
            let stored = self.stored_customer(call.access, new.customer_id).await?;
            if let Some(unit) = new.unit_id {
                let found = find_unit(self.db.pool(), &call.access.scope, unit, now).await?;
                found.ok_or_else(|| Error::not_found("unit", unit))?;
            }
            let new = new.clone();
            let mut date = KeyDate {
                id: KeyDateId::new(),
                customer_id: new.customer_id,
                kind: new.kind,
                unit_id: new.unit_id,
                date: new.date,
                is_lunar: new.is_lunar,
                next_date: None,
                consent_id: new.consent_id,
                source: new.source,
                row_version: 1,
                create_time: now,
            };
            let kept = if date.kind.is_personal() {
                let key = stored.data_key.as_deref().ok_or_else(|| Error::not_found("customer", new.customer_id))?;
                let sealed = self.vault.seal_date(date.customer_id, key, date.id.as_uuid(), date.date)?;
                StoredDate::Sealed { sealed, day_index: self.vault.day_index(&day) }
            } else {
                StoredDate::Plain(date.date)
            };
            date.next_date = next_date(&date, self.home_date(&stored).await?);
            let answer = (call.answer)(&date);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let written = replace_key_date(self.db.pool(), &date, &kept, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    pub(crate) async fn delete_key_date<R: Message + Default>(
        &self,
        call: &Call<'_, (), R>,
        customer: CustomerId,
        id: KeyDateId,
    ) -> Result<R> {
        self.transact(call, "key date", None, || async {
            let now = self.clock.now();
            self.stored_customer(call.access, customer).await?;
            let answer = (call.answer)(&());
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let written = delete_key_date(self.db.pool(), customer, id, effects.json(now)).await;
            match self.written(answer, &effects, written)? {
                Some(answer) => Ok(Some(answer)),
                None => Err(Error::not_found("key date", id)),
            }
        })
        .await
    }

    pub(crate) async fn list_key_dates(&self, access: &Access, customer: CustomerId, page: &PageRequest<Uuid>) -> Result<Vec<KeyDate>> {
        let stored = self.stored_customer(access, customer).await?;
        let today = self.home_date(&stored).await?;
        let key = stored.data_key.as_deref();
        let mut dates = list_key_dates(self.db.pool(), &self.vault, customer, key, page.after, page.size.limit()).await?;
        for date in &mut dates {
            date.next_date = next_date(date, today);
        }
        Ok(dates)
    }

    pub(crate) async fn record_service_usage<R: Message + Default>(&self, call: &Call<'_, Date, R>, new: NewUsage) -> Result<R> {
        self.transact(call, "unit", None, || async {
            let now = self.clock.now();
            let unit = find_unit(self.db.pool(), &call.access.scope, new.unit_id, now).await?;
            let unit = unit.ok_or_else(|| Error::not_found("unit", new.unit_id))?;
            let estate = find_estate(self.db.pool(), call.access.scope.estate(unit.estate_id)?).await?;
            let estate = estate.ok_or_else(|| Error::not_found("estate", unit.estate_id))?;
            let use_date = local_date(&estate.time_zone, new.use_time)?;
            if let Some(customer) = new.customer_id
                && !is_member_on(self.db.pool(), unit.id.as_uuid(), customer.as_uuid(), use_date).await?
            {
                return Err(Error::not_found("customer", customer));
            }
            let used = NewUse {
                household_id: unit.household_id.as_uuid(),
                estate_id: unit.estate_id.as_uuid(),
                customer_id: new.customer_id.map(CustomerId::as_uuid),
                service_code: new.service_code.clone(),
                use_date,
                use_count: new.use_count,
            };
            let answer = (call.answer)(&use_date);
            let effects = Effects { claim: Some(self.claim(call, &answer)), ..Effects::none() };
            let written = add_use(self.db.pool(), &used, effects.json(now)).await;
            self.written(answer, &effects, written)
        })
        .await
    }

    /// Tags as the rules give them now: facts that are behind are derived first.
    pub(crate) async fn list_customer_tags(
        &self,
        access: &Access,
        customer: CustomerId,
        page: &PageRequest<HeldTagCursor>,
    ) -> Result<Vec<HeldTag>> {
        self.stored_customer(access, customer).await?;
        self.settle_facts(&estates_of(self.db.pool(), customer).await?).await?;
        list_held_tags(self.db.pool(), access.scope.estates(), customer, page.after.as_ref(), page.size.limit()).await
    }

    async fn stored_customer(&self, access: &Access, id: CustomerId) -> Result<StoredCustomer> {
        let found = find_customer(self.db.pool(), &self.vault, &access.scope, id, self.clock.now()).await?;
        found.ok_or_else(|| Error::not_found("customer", id))
    }

    /// The local day where the customer is at home. The zone alone is read, of an estate that the customer's record names.
    async fn home_date(&self, stored: &StoredCustomer) -> Result<Date> {
        let scope = steward_kit::auth::Scope::system("the zone of a customer's home estate");
        let estate = find_estate(self.db.pool(), scope.estate(stored.customer.home_estate_id)?).await?;
        let zone = estate.map_or_else(|| "Asia/Shanghai".to_owned(), |estate| estate.time_zone);
        local_date(&zone, self.clock.now())
    }
}

/// The day of the year that it is found by; refuses what does not go together.
fn check_key_date(new: &NewKeyDate) -> Result<String> {
    let unsuited = |field: &str, text: &str| Err(Error::invalid(field, "KEY_DATE_UNSUITED", text));
    if new.kind.is_personal() {
        if new.consent_id.is_none() {
            return Err(consent_required());
        }
        if new.unit_id.is_some() {
            return unsuited("unit_id", "must be empty for a day of the person");
        }
    } else if new.unit_id.is_none() {
        return unsuited("unit_id", "must be given for a day of the purchase");
    } else if new.is_lunar {
        return unsuited("is_lunar", "must be false for a day of the purchase");
    }
    match day_of(new.date, new.is_lunar) {
        Some(day) => Ok(day),
        None => unsuited("occur_date", "must lie in the lunar years 1901 to 2100"),
    }
}

/// When a day of the person is kept next, today included.
fn next_date(date: &KeyDate, today: Date) -> Option<Date> {
    if !date.kind.is_personal() {
        return None;
    }
    if date.is_lunar {
        return LunarBirthday::of_birth(date.date).and_then(|day| day.next_on_or_after(today)).ok();
    }
    let in_year = |year: i16| {
        let kept = Date::new(year, date.date.month(), date.date.day());
        // 29 February is kept on the 28th of a common year.
        kept.or_else(|_| Date::new(year, date.date.month(), 28)).ok()
    };
    in_year(today.year()).filter(|kept| *kept >= today).or_else(|| in_year(today.year() + 1))
}
