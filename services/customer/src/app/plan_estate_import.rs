//! The next rows of an import are judged; nothing of the register changes (CP-53). A step of a job, in its transaction.

use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit_store::{Effects, TimerChange};

use super::App;
use crate::domain::estate_import::{EstateImport, ImportRow, ImportState, Judgement, RowAction, judge};
use crate::domain::ids::EstateImportId;
use crate::domain::register_file::{FileRow, RegisterRow};
use crate::jobs::PLAN_IMPORT;
use crate::store::import_rows::insert_rows;
use crate::store::imports::{lock_import, update_import};
use crate::store::refusal::refusal;
use crate::store::register::read_register;

/// Rows judged against one reading of the register.
const BATCH: usize = 500;
/// Rows judged in one step: progress shows, and a crash repeats no more than this.
const STEP: usize = 2000;

impl App {
    pub(crate) async fn plan_estate_import(&self, tx: &mut PgConnection, id: EstateImportId, now: Timestamp) -> Result<Effects> {
        let scope = Scope::system("the plan of an import");
        let Some(import) = lock_import(tx, &scope, id).await?.filter(|import| import.state == ImportState::Planning) else {
            // Cancelled or paused meanwhile.
            return Ok(Effects::none());
        };
        let file = match self.register_file(tx, &import).await? {
            Ok(file) => file,
            Err(failure) => {
                self.files.forget(id);
                update_import(tx, &import.failed(failure, now), None, Effects::none().json(now)).await.map_err(refusal)?;
                return Ok(Effects { timers: vec![TimerChange::cancel_all(id)], ..Effects::none() });
            }
        };
        let begin = usize::try_from(import.progress.planned_count).unwrap_or(0);
        let end = file.rows.len().min(begin + STEP);
        let mut after = import.in_state(if end == file.rows.len() { ImportState::Planned } else { ImportState::Planning }, now);
        for rows in file.rows[begin..end].chunks(BATCH) {
            let verdicts = self.judge_rows(tx, &scope, &import, rows, now).await?;
            verdicts.iter().for_each(|verdict| after.progress.count(verdict.action));
            insert_rows(tx, id, &verdicts).await?;
        }
        after.progress.row_count = i32::try_from(file.rows.len()).unwrap_or(i32::MAX);
        after.progress.planned_count = i32::try_from(end).unwrap_or(i32::MAX);
        after.ignored_columns = file.ignored_columns.clone();
        update_import(tx, &after, None, Effects::none().json(now)).await.map_err(refusal)?;
        Ok(match after.state {
            ImportState::Planning => next(&after, now),
            ImportState::Planned
            | ImportState::Receiving
            | ImportState::Applying
            | ImportState::Paused
            | ImportState::Applied
            | ImportState::Failed
            | ImportState::Cancelled
            | ImportState::Expired => Effects::none(),
        })
    }

    async fn judge_rows(
        &self,
        tx: &mut PgConnection,
        scope: &Scope,
        import: &EstateImport,
        rows: &[FileRow],
        now: Timestamp,
    ) -> Result<Vec<ImportRow>> {
        let good: Vec<&RegisterRow> = rows.iter().filter_map(|row| row.outcome.as_ref().ok()).collect();
        let estate = scope.estate(import.estate_id)?;
        let (mut register, _) = read_register(tx, &self.vault, estate, import, &good).await?;
        let verdict = |row: &FileRow| {
            let refused = |problems| ImportRow {
                line: row.line,
                action: RowAction::Refuse,
                unit_full_code: row.unit_full_code.clone(),
                problems,
                is_applied: false,
                unit_id: None,
                customer_id: None,
            };
            match &row.outcome {
                Err(problems) => refused(problems.clone()),
                Ok(facts) => match judge(&mut register, row.line, facts, now) {
                    Judgement::Refused(problem) => refused(vec![problem]),
                    // Ids that a plan would make are not kept: applying makes its own.
                    Judgement::Good(steps) => ImportRow { action: steps.action(), ..refused(vec![]) },
                },
            }
        };
        Ok(rows.iter().map(verdict).collect())
    }
}

/// The next step is due at once.
fn next(import: &EstateImport, now: Timestamp) -> Effects {
    let timers = vec![TimerChange::set(PLAN_IMPORT, import.id, "", import.estate_id, now)];
    Effects { timers, ..Effects::none() }
}
