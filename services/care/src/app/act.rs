//! What is due is done: audiences and exclusions are asked once more at the moment of acting, outside of any transaction, and what was
//! decided is written in one. A crash in between leaves what was due due; its timer, which was set again, finds it.

use std::collections::{BTreeMap, BTreeSet};

use steward_kit::Result;
use steward_kit::ids::{EstateId, HouseholdId};
use uuid::Uuid;

use super::App;
use super::audience::MOST_CHECKED;
use crate::domain::base::Stored;
use crate::domain::ids::ProgrammeId;
use crate::domain::programme::{Action, Anchor, Condition, Exclusion, Programme};
use crate::domain::touchpoint::{Touchpoint, Verdict};
use crate::store::programmes::load_programmes;
use crate::store::touchpoints::load_waiting;

/// Most touchpoints of one round.
const BATCH: i64 = 1000;

/// Most exclusions of one question to customer.
const MOST_EXCLUSIONS: usize = 20;

/// Touchpoints that are asked about together: of one estate and definition, about one topic.
type Group = (EstateId, Option<ProgrammeId>, String, String);

/// What is asked of a household of one definition.
#[derive(Clone, Debug, Default)]
struct Terms {
    audience: Option<Condition>,
    exclusions: Vec<Exclusion>,
    /// It is for the customer that it was planned for, such as a birthday, and not for whoever speaks for the household.
    is_personal: bool,
}

/// What follows for one household.
enum Judgement {
    /// Of the definition: it belongs, is left out, does not belong.
    Of(Verdict),
    /// The policy holds the topic back in its situation (CA-12).
    Withheld(String),
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
            let mut groups: BTreeMap<Group, Vec<Stored<Touchpoint>>> = BTreeMap::new();
            for row in waiting {
                let topic = topic_of(&row.value.action).to_owned();
                let key = (row.estate_id, row.value.programme_id, row.value.definition_code.clone(), topic);
                groups.entry(key).or_default().push(row);
            }
            let ids: BTreeSet<ProgrammeId> = groups.keys().filter_map(|(_, programme, ..)| *programme).collect();
            let programmes = load_programmes(self.db.pool(), &ids.into_iter().collect::<Vec<_>>()).await?;
            let mut moved = 0;
            for ((estate, programme, definition, topic), rows) in groups {
                let terms = terms_of(programme.and_then(|id| programmes.get(&id)), &definition);
                for chunk in rows.chunks(MOST_CHECKED) {
                    moved += self.judge(estate, &terms, &topic, chunk).await?;
                }
            }
            // What did not move would be found again at once; its timer comes.
            if is_last || moved == 0 {
                return Ok(());
            }
        }
    }

    /// Asks about the households of `rows` and writes what follows. How many moved.
    async fn judge(&self, estate: EstateId, terms: &Terms, topic: &str, rows: &[Stored<Touchpoint>]) -> Result<usize> {
        let households: Vec<HouseholdId> = rows.iter().map(|row| row.value.household_id).collect::<BTreeSet<_>>().into_iter().collect();
        let verdicts = self.audience.check(estate, &households, terms.audience.as_ref(), &terms.exclusions).await?;
        let withheld = self.withheld(estate, topic, &verdicts).await?;
        let (now, ids) = (self.clock.now(), rows.iter().map(|row| row.id).collect::<Vec<Uuid>>());
        let judgement = |row: &Stored<Touchpoint>| match withheld.get(&row.value.household_id) {
            Some(reason) => Judgement::Withheld(reason.clone()),
            None => Judgement::Of(verdicts.get(&row.value.household_id).cloned().unwrap_or(Verdict::NotMember)),
        };
        self.settle_all::<Touchpoint>(&ids, now, |row, rules| {
            // It may have been moved while the question was on its way.
            let is_waiting = row.value.due_time <= now || row.value.look_time.is_some_and(|look| look <= now);
            match judgement(row) {
                _ if !is_waiting => Ok(None),
                Judgement::Withheld(reason) => Ok(row.value.withheld(&reason, now)),
                Judgement::Of(verdict) => row.value.judged(&terms.addressed(verdict, &row.value), now, rules),
            }
        })
        .await?;
        Ok(ids.len())
    }

    /// Of the households that belong, those in whose situation the care policy holds a topic back, with the situation.
    async fn withheld(
        &self,
        estate: EstateId,
        topic: &str,
        verdicts: &BTreeMap<HouseholdId, Verdict>,
    ) -> Result<BTreeMap<HouseholdId, String>> {
        let rules = self.rules.of(estate, self.clock.now()).await?;
        let held: Vec<Exclusion> = rules.terms.suppressions.iter().filter(|one| one.covers(topic)).map(|one| one.when.clone()).collect();
        let is_member = |(household, verdict): (&HouseholdId, &Verdict)| matches!(verdict, Verdict::Member { .. }).then_some(*household);
        let members: Vec<HouseholdId> = verdicts.iter().filter_map(is_member).collect();
        let mut all = BTreeMap::new();
        if members.is_empty() {
            return Ok(all);
        }
        for exclusions in held.chunks(MOST_EXCLUSIONS) {
            for (household, verdict) in self.audience.check(estate, &members, None, exclusions).await? {
                if let Verdict::Excluded(reason) = verdict {
                    all.entry(household).or_insert(reason);
                }
            }
        }
        Ok(all)
    }
}

impl Terms {
    /// Whom a member is turned to by: what is personal stays with its customer, everything else follows the household's contact.
    fn addressed(&self, verdict: Verdict, touchpoint: &Touchpoint) -> Verdict {
        match verdict {
            Verdict::Member { customer } if self.is_personal => Verdict::Member { customer: touchpoint.customer_id.or(customer) },
            Verdict::Member { .. } | Verdict::Excluded(_) | Verdict::NotMember => verdict,
        }
    }
}

fn terms_of(programme: Option<&Programme>, definition: &str) -> Terms {
    let found = programme.and_then(|programme| programme.definition(definition));
    let terms = found.map(|found| Terms {
        audience: found.audience.clone(),
        exclusions: found.exclusions.clone(),
        is_personal: matches!(found.anchor, Anchor::KeyDate(_)),
    });
    // Without a programme somebody planned it for a customer of their choice.
    terms.unwrap_or(Terms { is_personal: true, ..Terms::default() })
}

/// What a message is about; empty for whatever is no message.
fn topic_of(action: &Action) -> &str {
    match action {
        Action::Message { topic, .. } => topic,
        Action::Visit { .. } | Action::Task { .. } | Action::Survey { .. } | Action::Order { .. } => "",
    }
}
