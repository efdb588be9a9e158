//! The next good rows of an import are written, each whole or not at all, and once (CP-53). A step of a job, in its
//! transaction: what a crash undoes is done again.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::auth::Scope;
use steward_kit::ids::CustomerId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, NewEvent, TimerChange};

use super::App;
use super::update_customer::change_entry;
use crate::domain::customer::Customer;
use crate::domain::estate_import::{
    CustomerStep, EstateImport, ImportRow, ImportState, Judgement, RowAction, Steps, TenureStep, UnitStep, judge,
};
use crate::domain::ids::EstateImportId;
use crate::domain::register_file::{FileRow, RegisterFile, RegisterRow};
use crate::events::publish;
use crate::jobs::WRITE_IMPORT;
use crate::store::audit::Actor;
use crate::store::import_batch::{Batch, write_batch};
use crate::store::import_rows::{list_open_rows, settle_rows};
use crate::store::imports::{lock_import, update_import};
use crate::store::refusal::refusal;
use crate::store::register::read_register;

/// Rows written in one step; also the most units of one event.
const STEP: i64 = 500;

/// What a step writes, as it is gathered row by row.
#[derive(Default)]
struct Gathered {
    batch: Batch,
    customers_before: HashMap<CustomerId, Customer>,
    changed_fields: HashMap<CustomerId, Vec<&'static str>>,
}

impl App {
    pub(crate) async fn write_estate_import(&self, tx: &mut PgConnection, id: EstateImportId, now: Timestamp) -> Result<Effects> {
        let scope = Scope::system("the writing of an import");
        let Some(import) = lock_import(tx, &scope, id).await?.filter(|import| import.state == ImportState::Applying) else {
            // Cancelled or paused meanwhile.
            return Ok(Effects::none());
        };
        let open = list_open_rows(tx, id, STEP).await?;
        if open.is_empty() {
            return self.finish(tx, &import, now).await;
        }
        let file = self.register_file(tx, &import).await?.map_err(|failure| Error::bug(failure.detail))?;
        let rows = open.iter().map(|(line, action)| Ok((row_at(&file, *line)?, *action))).collect::<Result<Vec<_>>>()?;
        let facts: Vec<&RegisterRow> = rows.iter().filter_map(|(row, _)| row.outcome.as_ref().ok()).collect();
        let estate = scope.estate(import.estate_id)?;
        let (mut register, keys) = read_register(tx, &self.vault, estate, &import, &facts).await?;

        let (mut gathered, mut settled, mut after) = (Gathered::default(), Vec::with_capacity(rows.len()), import.clone());
        for (row, planned) in rows {
            let Ok(facts) = &row.outcome else { continue };
            let judgement = judge(&mut register, row.line, facts, now);
            settled.push(settle(row, planned, judgement, &mut gathered, &mut after));
        }
        let events = self.seal_and_number(&mut gathered, &keys, &import, now).await?;
        write_batch(tx, estate, &gathered.batch, &import.created_by, now).await?;
        settle_rows(tx, id, &settled).await?;
        let after = EstateImport { progress: after.progress, ..import.in_state(ImportState::Applying, now) };
        update_import(tx, &after, None, Effects::none().json(now)).await.map_err(refusal)?;
        Ok(Effects { claim: None, events, timers: vec![TimerChange::set(WRITE_IMPORT, id, "", import.estate_id, now)] })
    }

    async fn finish(&self, tx: &mut PgConnection, import: &EstateImport, now: Timestamp) -> Result<Effects> {
        self.files.forget(import.id);
        let after = import.in_state(ImportState::Applied, now);
        update_import(tx, &after, None, Effects::none().json(now)).await.map_err(refusal)?;
        Ok(Effects { claim: None, events: vec![publish::import_applied(&after, now)], timers: vec![TimerChange::cancel_all(import.id)] })
    }

    /// Numbers and seals customers, and says what other services hear of the step.
    async fn seal_and_number(
        &self,
        gathered: &mut Gathered,
        keys: &HashMap<CustomerId, Vec<u8>>,
        import: &EstateImport,
        now: Timestamp,
    ) -> Result<Vec<NewEvent>> {
        let batch = &mut gathered.batch;
        let numbers = self.numbers.take(batch.new_customers.len()).await?;
        for ((customer, sealed), number) in batch.new_customers.iter_mut().zip(numbers) {
            customer.number = number;
            *sealed = self.vault.seal(customer.id, None, &customer.personal)?;
        }
        let actor = Actor { subject: &import.created_by, kind: "import" };
        let mut events = Vec::new();
        let units = batch.new_units.iter().chain(&batch.changed_units);
        if units.clone().next().is_some() {
            events.push(publish::units_imported(import, units, now));
        }
        events.extend(batch.new_customers.iter().map(|(customer, _)| publish::customer_created(customer, now)));
        for (customer, sealed) in &mut batch.changed_customers {
            *sealed = self.vault.seal(customer.id, keys.get(&customer.id).map(Vec::as_slice), &customer.personal)?;
            let fields = gathered.changed_fields.get(&customer.id).map(Vec::as_slice).unwrap_or_default();
            if let Some(before) = gathered.customers_before.get(&customer.id) {
                let prints = self.vault.fingerprints(customer.id, sealed.data_key.as_deref())?;
                batch.audit.push(change_entry(&prints, before, customer, fields, &actor, now));
            }
            events.push(publish::customer_updated(customer, fields, now));
        }
        events.extend(batch.new_tenures.iter().map(|tenure| publish::tenure_started(tenure, now)));
        let ended = batch.changed_tenures.iter().filter(|tenure| tenure.to_date.is_some());
        events.extend(ended.map(|tenure| publish::tenure_ended(tenure, now)));
        Ok(events)
    }
}

fn row_at(file: &RegisterFile, line: u32) -> Result<&FileRow> {
    let at = file.rows.binary_search_by_key(&line, |row| row.line);
    at.map(|at| &file.rows[at]).map_err(|_| Error::bug(format_args!("line {line} was planned and is not in the file")))
}

/// What becomes of a row, and its share of the batch. The register may have changed since the plan; what counts is now.
fn settle(row: &FileRow, planned: RowAction, judgement: Judgement, gathered: &mut Gathered, import: &mut EstateImport) -> ImportRow {
    let mut settled = ImportRow {
        line: row.line,
        action: planned,
        unit_full_code: row.unit_full_code.clone(),
        problems: vec![],
        is_applied: true,
        unit_id: None,
        customer_id: None,
    };
    match judgement {
        Judgement::Good(steps) => {
            import.progress.applied_count += 1;
            settled.unit_id = Some(steps.unit_id());
            settled.customer_id = steps.customer_id();
            gathered.add(*steps);
        }
        Judgement::Refused(problem) => {
            import.progress.recount(planned, RowAction::Refuse);
            settled.action = RowAction::Refuse;
            settled.is_applied = false;
            settled.problems = vec![problem];
        }
    }
    settled
}

impl Gathered {
    fn add(&mut self, steps: Steps) {
        let batch = &mut self.batch;
        batch.buildings.extend(steps.building);
        batch.entrances.extend(steps.entrance);
        match steps.unit {
            UnitStep::Create(unit) => batch.new_units.push(unit),
            UnitStep::Update(unit) => put(&mut batch.new_units, &mut batch.changed_units, unit, |unit| unit.id),
            UnitStep::Keep(_) => {}
        }
        match steps.customer {
            Some(CustomerStep::Create(customer)) => batch.new_customers.push((customer, Default::default())),
            Some(CustomerStep::Update { old, new, fields }) => {
                self.changed_fields.entry(new.id).or_default().extend(fields);
                self.customers_before.entry(old.id).or_insert(old);
                let changed = (new, Default::default());
                put(&mut batch.new_customers, &mut batch.changed_customers, changed, |(customer, _)| customer.id);
            }
            Some(CustomerStep::Keep(_)) | None => {}
        }
        match steps.tenure {
            Some(TenureStep::Create(tenure)) => batch.new_tenures.push(tenure),
            Some(TenureStep::Update(tenure)) => put(&mut batch.new_tenures, &mut batch.changed_tenures, tenure, |tenure| tenure.id),
            Some(TenureStep::Keep(_)) | None => {}
        }
    }
}

/// Puts a changed row where the batch has it already: among the new ones or the changed ones, once.
fn put<T, I: PartialEq>(new: &mut [T], changed: &mut Vec<T>, row: T, id: impl Fn(&T) -> I) {
    let wanted = id(&row);
    if let Some(known) = new.iter_mut().chain(changed.iter_mut()).find(|known| id(known) == wanted) {
        *known = row;
    } else {
        changed.push(row);
    }
}
