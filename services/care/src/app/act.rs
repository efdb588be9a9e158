//! What is due is done: audiences and exclusions are asked once more at the moment of acting, outside of any transaction, and what was
//! decided is written in one. A crash in between leaves what was due due; its timer, which was set again, finds it.

use std::collections::BTreeMap;

use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::ids::{EstateId, HouseholdId};
use uuid::Uuid;

use super::App;
use super::audience::MOST_CHECKED;
use crate::domain::base::Stored;
use crate::domain::ids::ProgrammeId;
use crate::domain::programme::{Condition, Exclusion};
use crate::domain::touchpoint::{Touchpoint, Verdict};
use crate::store::programmes::load_programme;
use crate::store::touchpoints::load_waiting;

/// Most touchpoints of one round.
const BATCH: i64 = 1000;

/// What is asked of a household of one definition.
#[derive(Clone, Debug, Default)]
struct Terms {
    audience: Option<Condition>,
    exclusions: Vec<Exclusion>,
}

impl App {
    /// Does what is due, batch by batch, until nothing is.
    pub(crate) async fn act(&self) -> Result<()> {
        loop {
            let now = self.clock.now();
            let waiting = load_waiting(self.db.pool(), now, BATCH).await?;
            let is_last = waiting.len() < usize::try_from(BATCH).unwrap_or_default();
            if waiting.is_empty() {
                return Ok(());
            }
            let mut groups: BTreeMap<(EstateId, Option<ProgrammeId>, String), Vec<Stored<Touchpoint>>> = BTreeMap::new();
            for row in waiting {
                let key = (row.estate_id, row.value.programme_id, row.value.definition_code.clone());
                groups.entry(key).or_default().push(row);
            }
            let mut moved = 0;
            for ((estate, programme, definition), rows) in groups {
                let terms = self.terms_of(programme, &definition).await?;
                for chunk in rows.chunks(MOST_CHECKED) {
                    moved += self.judge(estate, &terms, chunk).await?;
                }
            }
            // What did not move would be found again at once; its timer comes.
            if is_last || moved == 0 {
                return Ok(());
            }
        }
    }

    async fn terms_of(&self, programme: Option<ProgrammeId>, definition: &str) -> Result<Terms> {
        let Some(programme) = programme else { return Ok(Terms::default()) };
        let found = load_programme(self.db.pool(), &Scope::system("touchpoints are due"), programme).await?;
        let found = found.and_then(|programme| programme.definition(definition).cloned());
        Ok(found.map(|found| Terms { audience: found.audience, exclusions: found.exclusions }).unwrap_or_default())
    }

    /// Asks about the households of `rows` and writes what follows. How many moved.
    async fn judge(&self, estate: EstateId, terms: &Terms, rows: &[Stored<Touchpoint>]) -> Result<usize> {
        let households: Vec<HouseholdId> =
            rows.iter().map(|row| row.value.household_id).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let verdicts = self.audience.check(estate, &households, terms.audience.as_ref(), &terms.exclusions).await?;
        let (now, ids) = (self.clock.now(), rows.iter().map(|row| row.id).collect::<Vec<Uuid>>());
        let verdict = |row: &Stored<Touchpoint>| verdicts.get(&row.value.household_id).cloned().unwrap_or(Verdict::NotMember);
        self.settle_all::<Touchpoint>(&ids, now, |row, rules| {
            // It may have been moved while the question was on its way.
            let is_waiting = row.value.due_time <= now || row.value.look_time.is_some_and(|look| look <= now);
            if is_waiting { row.value.judged(&verdict(row), now, rules) } else { Ok(None) }
        })
        .await?;
        Ok(ids.len())
    }
}
