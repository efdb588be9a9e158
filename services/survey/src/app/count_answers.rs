//! How this service counts its figures: facts of estates in a period, then the formulas. For a kept count and for an explanation it
//! is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;

use futures::TryStreamExt;
use jiff::Timestamp;
use sqlx::PgConnection;
use steward_kit::auth::ScopedEstate;
use steward_kit::ids::EstateId;
use steward_kit::metric::{self, AsOf, Definition, Period};
use steward_kit::{Error, Result};
use steward_kit_store::rollups::{Count, Counter, Question, Stretch};

use super::rules::Rules;
use crate::domain::figures::{self, Answered, Facts, Row, Sheet, facts_of};
use crate::domain::ids::WaveId;
use crate::store::facts;

/// Responses that are in memory at once while estates are counted: what they come to adds up.
const AT_ONCE: usize = 4096;

/// Counts answers, feedback, plans and interviews.
#[derive(Debug)]
pub(crate) struct CountAnswers {
    rules: Arc<Rules>,
}

/// The facts of estates, by estate, and when they happened.
struct Sheets {
    all: Vec<Sheet>,
    place: BTreeMap<EstateId, usize>,
    stretches: Vec<Stretch>,
}

impl Sheets {
    fn of(&mut self, estate: EstateId) -> Option<&mut Sheet> {
        self.place.get(&estate).and_then(|at| self.all.get_mut(*at))
    }

    /// Lays a response to the others of its wave.
    fn add(&mut self, estate: EstateId, wave: WaveId, row: Row) {
        if let Some(answered) = self.of(estate).and_then(|sheet| sheet.answered.get_mut(&wave)) {
            answered.rows.push(row);
        }
    }

    /// Every wave whose responses count, those that a wave is compared with among them.
    fn waves(&self) -> Vec<(EstateId, WaveId)> {
        self.all.iter().flat_map(|sheet| sheet.answered.keys().map(|wave| (sheet.estate, *wave))).collect()
    }
}

impl CountAnswers {
    pub(super) fn new(rules: Arc<Rules>) -> Self {
        Self { rules }
    }

    /// The facts of one estate in a period, as far as the definition needs them. Two trips for a figure of answers, one for another.
    pub(super) async fn sheet(&self, db: &mut PgConnection, estate: ScopedEstate, period: Period, needed: &Definition) -> Result<Sheet> {
        let mut sheets = self.sheets(&mut *db, &[estate], period, &[needed]).await?;
        let waves = sheets.waves();
        if !waves.is_empty() {
            let rows: Vec<_> = facts::stream_rows(db, &waves).try_collect().await?;
            rows.into_iter().for_each(|(estate, wave, row)| sheets.add(estate, wave, row));
        }
        sheets.all.pop().ok_or_else(|| Error::bug("an estate has no facts"))
    }

    /// The facts of estates in a period, as far as the definitions need them, but no responses yet. One trip for each kind of facts,
    /// and one for instruments that are not in memory.
    async fn sheets(&self, db: &mut PgConnection, estates: &[ScopedEstate], period: Period, needed: &[&Definition]) -> Result<Sheets> {
        let stretches = Stretch::each(estates, period, &self.rules.estates).await?;
        let all: Vec<Sheet> = estates.iter().map(|scoped| Sheet::new(scoped.id())).collect();
        let place = all.iter().enumerate().map(|(at, sheet)| (sheet.estate, at)).collect();
        let mut sheets = Sheets { all, place, stretches };
        for wanted in needed.iter().filter_map(|definition| facts_of(definition)).collect::<BTreeSet<_>>() {
            self.read(&mut *db, &mut sheets, wanted, needed).await?;
        }
        Ok(sheets)
    }

    async fn read(&self, db: &mut PgConnection, sheets: &mut Sheets, wanted: Facts, needed: &[&Definition]) -> Result<()> {
        macro_rules! lay {
            ($found:expr, |$sheet:ident, $row:ident| $then:expr) => {
                for (estate, $row) in $found {
                    if let Some($sheet) = sheets.of(estate) {
                        $then;
                    }
                }
            };
        }
        let stretches = sheets.stretches.clone();
        match wanted {
            Facts::Waves => self.read_waves(db, sheets, needed).await?,
            Facts::Assessed => lay!(facts::list_assessed(db, &stretches).await?, |sheet, row| sheet.assessed.push(row)),
            Facts::Collating => lay!(facts::list_collating(db, &stretches).await?, |sheet, row| sheet.collating.push(row)),
            Facts::Implemented => lay!(facts::list_implemented(db, &stretches).await?, |sheet, row| sheet.implemented.push(row)),
            Facts::Verified => lay!(facts::list_verified(db, &stretches).await?, |sheet, row| sheet.verified.push(row)),
            Facts::Interviews => {
                lay!(facts::count_interview_rounds(db, &stretches).await?, |sheet, rounds| sheet.interview_rounds = rounds);
            }
        }
        Ok(())
    }

    async fn read_waves(&self, db: &mut PgConnection, sheets: &mut Sheets, needed: &[&Definition]) -> Result<()> {
        let programmes: BTreeSet<&String> = needed.iter().map(|definition| &definition.parameters.programme).collect();
        let programmes: Vec<String> = programmes.into_iter().filter(|code| !code.is_empty()).cloned().collect();
        let waves = facts::list_waves(&mut *db, &sheets.stretches, &programmes).await?;
        let versions: Vec<_> = waves.iter().flat_map(|wave| [Some(wave.version), wave.baseline_version]).flatten().collect();
        let frozen = self.rules.frozen(db, &versions).await?;
        for wave in waves {
            let Some(sheet) = sheets.of(wave.estate) else { continue };
            let asked = [(Some(wave.sheet.id), Some(wave.version)), (wave.sheet.baseline, wave.baseline_version)];
            for (id, version) in asked.into_iter().filter_map(|(id, version)| id.zip(version)) {
                let frozen = frozen.get(&version.as_uuid()).ok_or_else(|| Error::not_found("questionnaire version", version))?;
                sheet.answered.entry(id).or_insert_with(|| Answered { instrument: frozen.rules.clone(), rows: Vec::new() });
            }
            sheet.waves.push(wave.sheet);
        }
        Ok(())
    }
}

impl Counter for CountAnswers {
    fn rules(&self) -> Vec<&'static str> {
        let own = [include_str!("count_answers.rs"), include_str!("../store/facts.rs"), include_str!("../contract/instrument.rs")];
        [metric::RULES, figures::RULES, &own].concat()
    }

    /// The zone. Limits below which nothing is shown are no part of it: they are looked at when a figure is shown.
    async fn ground(&self, estate: EstateId) -> Result<Vec<u8>> {
        Ok(self.rules.estates.get(estate).await?.time_zone.clone().into_bytes())
    }

    async fn count(&self, db: &mut PgConnection, question: &Question, estates: &[ScopedEstate], now: Timestamp) -> Result<Vec<Count>> {
        let definitions: Vec<&Definition> = question.definitions.iter().collect();
        let mut sheets = self.sheets(&mut *db, estates, question.period, &definitions).await?;
        let mut counts = Vec::with_capacity(estates.len());
        for (sheet, stretch) in sheets.all.iter().zip(&sheets.stretches) {
            let as_of = AsOf::new(now);
            let tallies = definitions.iter().map(|definition| Ok(counted(definition, &as_of, sheet)?.tally)).collect::<Result<_>>()?;
            counts.push(Count { estate: sheet.estate, tallies, read: (stretch.start, stretch.end), seen: as_of.seen() });
        }
        let waves = sheets.waves();
        if waves.is_empty() {
            return Ok(counts);
        }
        let (mut rows, mut in_memory) = (pin!(facts::stream_rows(db, &waves)), 0);
        while let Some((estate, wave, row)) = rows.try_next().await? {
            sheets.add(estate, wave, row);
            in_memory += 1;
            if in_memory == AT_ONCE {
                add_answers(&mut counts, &mut sheets, &definitions);
                in_memory = 0;
            }
        }
        add_answers(&mut counts, &mut sheets, &definitions);
        Ok(counts)
    }
}

/// Adds what the responses in memory come to, and lets go of them.
fn add_answers(counts: &mut [Count], sheets: &mut Sheets, definitions: &[&Definition]) {
    for (count, sheet) in counts.iter_mut().zip(&mut sheets.all) {
        if sheet.answered.values().all(|answered| answered.rows.is_empty()) {
            continue;
        }
        for (tally, definition) in count.tallies.iter_mut().zip(definitions) {
            figures::add_answers(tally, definition, sheet);
        }
        sheet.answered.values_mut().for_each(|answered| answered.rows.clear());
    }
}

/// What a figure of an estate is made of.
pub(super) fn counted(definition: &Definition, as_of: &AsOf, sheet: &Sheet) -> Result<figures::Counted> {
    figures::count(definition, as_of, sheet).ok_or_else(|| no_formula(definition))
}

pub(super) fn no_formula(definition: &Definition) -> Error {
    Error::bug(format_args!("no formula for {}", definition.metric.id))
}
