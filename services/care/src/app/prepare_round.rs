//! The visits of a round are drawn up, and looked at again each day and whenever a fact changes: who is left out and why (CA-37 to
//! CA-39), who may be visited after all, who joined. Each visit's id is made of round and household, so doing it again changes nothing.

use jiff::Timestamp;
use steward_kit::Result;
use steward_kit::auth::Scope;
use steward_kit::ids::HouseholdId;
use uuid::Uuid;

use super::App;
use super::audience::{MOST_CHECKED, Question};
use crate::domain::base::{Change, Stored};
use crate::domain::codes::{RoundState, VisitState};
use crate::domain::ids::{TouchpointId, VisitRoundId, touchpoint_id, visit_id};
use crate::domain::programme::{Condition, Exclusion};
use crate::domain::round::Round;
use crate::domain::terms::Rules;
use crate::domain::touchpoint::Verdict;
use crate::domain::visit::Visit;
use crate::store::programmes::load_programme;
use crate::store::visits::ids_of_round;

/// Rows of one write.
const BATCH: usize = 500;

/// Whom a round visits: audience, exclusions, and each home with its day and touchpoint.
struct Plan {
    audience: Option<Condition>,
    exclusions: Vec<Exclusion>,
    visits: Vec<(Stored<Visit>, Change<Visit>)>,
}

impl App {
    /// See the module. Repeated for as long as the round is under way.
    pub(crate) async fn prepare_round(&self, id: Uuid) -> Result<()> {
        let Some(row) = self.load::<Round>(&Scope::system("a round is prepared"), id).await? else { return Ok(()) };
        match row.value.state {
            RoundState::Preparing | RoundState::Active => {}
            RoundState::Ended | RoundState::Reported | RoundState::Archived => return self.cancel_open_visits(&row).await,
        }
        let now = self.clock.now();
        let rules = self.rules.of(row.estate_id, now).await?;
        let plan = self.plan_of(&row, &rules, now).await?;
        let mut visits = plan.visits.into_iter();
        loop {
            let chunk: Vec<_> = visits.by_ref().take(BATCH).collect();
            if chunk.is_empty() {
                break;
            }
            self.insert_missing(chunk, now).await?;
        }
        self.look_at_visits(&row, plan.audience.as_ref(), &plan.exclusions).await?;
        if row.value.state == RoundState::Preparing {
            self.settle_all::<Round>(&[id], now, |row, rules| match row.value.state {
                RoundState::Preparing => row.value.prepared(now, rules).map(Some),
                RoundState::Active | RoundState::Ended | RoundState::Reported | RoundState::Archived => Ok(None),
            })
            .await?;
        }
        Ok(())
    }

    async fn plan_of(&self, row: &Stored<Round>, rules: &Rules, now: Timestamp) -> Result<Plan> {
        let round = &row.value;
        let Some(programme) = round.programme_id else {
            let (audience, exclusions) = (round.audience.clone(), round.exclusions.clone());
            let question = Question { estate: row.estate_id, condition: audience.as_ref(), building: None, exclusions: &[], fields: &[] };
            let members = self.audience.members(&question).await?;
            let visits = members.iter().map(|member| make(row, member.household, member.unit, member.customer, None, round.from_date, now));
            let visits = visits.collect();
            return Ok(Plan { audience, exclusions, visits });
        };
        let scope = Scope::system("a round is prepared");
        let programme = load_programme(self.db.pool(), &scope, programme).await?;
        let found = programme.as_ref().and_then(|programme| Some((programme, programme.definition(&round.definition_code)?)));
        let Some((programme, definition)) = found else {
            return Ok(Plan { audience: None, exclusions: Vec::new(), visits: Vec::new() });
        };
        let wanted = self.wanted(programme, definition, row.estate_id, round.from_date, rules, now).await?;
        let of_round = wanted.into_iter().filter(|(_, occurrence)| occurrence.due_date <= round.to_date);
        let visits = of_round.map(|(member, occurrence)| {
            let touchpoint = touchpoint_id(programme.id, &definition.code, member.household, occurrence.anchor_date);
            make(row, member.household, member.unit, member.customer, Some(touchpoint), occurrence.due_date, now)
        });
        let visits = visits.collect();
        Ok(Plan { audience: definition.audience.clone(), exclusions: definition.exclusions.clone(), visits })
    }

    /// Asks again about every home that may still be visited.
    async fn look_at_visits(&self, row: &Stored<Round>, audience: Option<&Condition>, exclusions: &[Exclusion]) -> Result<()> {
        let states = [VisitState::Open, VisitState::Scheduled, VisitState::Excluded].map(|state| state.as_str().to_owned());
        let visits = ids_of_round(self.db.pool(), row.estate_id, VisitRoundId::from(row.id), &states).await?;
        for chunk in visits.chunks(MOST_CHECKED) {
            let households: Vec<HouseholdId> = chunk.iter().map(|(_, household)| *household).collect();
            let verdicts = self.audience.check(row.estate_id, &households, audience, exclusions).await?;
            let ids: Vec<Uuid> = chunk.iter().map(|(id, _)| *id).collect();
            let now = self.clock.now();
            let judge = |row: &Stored<Visit>| match verdicts.get(&row.value.household_id) {
                Some(Verdict::Member { .. }) => row.value.judged(None, true),
                Some(Verdict::Excluded(code)) => row.value.judged(Some(code), false),
                Some(Verdict::NotMember) | None => row.value.judged(Some("not_in_audience"), false),
            };
            self.settle_all::<Visit>(&ids, now, |row, _| Ok(judge(row))).await?;
            // Whoever is left out has given back the visitors' time.
            crate::store::visits::free_unscheduled(self.db.pool(), &ids).await?;
        }
        Ok(())
    }

    /// The round is over: what was not made will not be.
    async fn cancel_open_visits(&self, row: &Stored<Round>) -> Result<()> {
        let states = [VisitState::Open, VisitState::Scheduled].map(|state| state.as_str().to_owned());
        let visits = ids_of_round(self.db.pool(), row.estate_id, VisitRoundId::from(row.id), &states).await?;
        let ids: Vec<Uuid> = visits.into_iter().map(|(id, _)| id).collect();
        for chunk in ids.chunks(BATCH) {
            self.settle_all::<Visit>(chunk, self.clock.now(), |row, _| Ok(row.value.round_ended())).await?;
            crate::store::visits::free_unscheduled(self.db.pool(), chunk).await?;
        }
        Ok(())
    }
}

fn make(
    round: &Stored<Round>,
    household: HouseholdId,
    unit: steward_kit::ids::UnitId,
    customer: Option<steward_kit::ids::CustomerId>,
    touchpoint: Option<TouchpointId>,
    due_date: jiff::civil::Date,
    now: Timestamp,
) -> (Stored<Visit>, Change<Visit>) {
    let round_id = VisitRoundId::from(round.id);
    let visit = Visit {
        round_id,
        household_id: household,
        unit_id: unit,
        customer_id: customer,
        touchpoint_id: touchpoint,
        due_date,
        coordinator: round.value.coordinator.clone(),
        state: VisitState::Open,
        reason_code: String::new(),
        visitors: Vec::new(),
        start_time: None,
        end_time: None,
        notice_time: None,
        is_without_notice: false,
        appoint_time: None,
        reconfirm_time: None,
        brief_read_time: None,
        kit_items: Vec::new(),
        begin_time: None,
        finish_time: None,
        form_due_time: None,
        is_form_overdue: false,
        form: None,
        conformity: None,
        warnings: Vec::new(),
        reschedule_count: 0,
    };
    (Stored::new(visit_id(round_id, household), round.estate_id, visit.clone(), now), Change::to(visit))
}
