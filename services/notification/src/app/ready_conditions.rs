//! Conditions of routing rules, kept ready to be asked: an event reads the rules it may meet, and not their conditions over again. In
//! memory only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use prost_reflect::MessageDescriptor;
use steward_kit::Result;
use steward_kit::predicate::Compiled;

use crate::domain::ids::RoutingRuleId;
use crate::domain::routing::{Condition, RoutingRule};
use crate::rule_condition::{condition, stored};

/// Most rules whose conditions are kept. Of one more, all are forgotten and read again as events come to them: rare enough to need no
/// order of going.
const MOST: usize = 4096;

/// The condition of a rule in its two parts.
#[derive(Debug)]
pub(super) struct Ready {
    /// What must hold of the event; `None` holds always.
    pub(super) event: Option<Compiled>,
    /// What must hold of the household when the message is sent; `None` holds always.
    pub(super) household: Option<Condition>,
}

/// What a condition was read from.
#[derive(Debug)]
struct Kept {
    event_type: String,
    when: Condition,
    ready: Arc<Ready>,
}

/// The conditions that were read so far.
#[derive(Debug, Default)]
pub(super) struct ReadyConditions(Mutex<HashMap<RoutingRuleId, Kept>>);

impl ReadyConditions {
    /// The condition of a rule that has just been loaded, for its event; `None` where it asks nothing. What is kept serves only while the
    /// rule says the very same, so that a rule which was changed, by whatever way, is never judged by what it said before.
    ///
    /// # Errors
    /// It does not read.
    pub(super) fn of(&self, rule: &RoutingRule, event: &MessageDescriptor) -> Result<Option<Arc<Ready>>> {
        let Some(when) = &rule.document.when else { return Ok(None) };
        let says_the_same = |kept: &&Kept| kept.when == *when && kept.event_type == rule.event_type;
        let known =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&rule.id).filter(says_the_same).map(|kept| kept.ready.clone());
        if known.is_some() {
            return Ok(known);
        }
        let parts = stored(when, event)?;
        let household = parts.household.as_ref().map(condition).transpose()?;
        let ready = Arc::new(Ready { event: parts.event, household });
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST && !kept.contains_key(&rule.id) {
            kept.clear();
        }
        kept.insert(rule.id, Kept { event_type: rule.event_type.clone(), when: when.clone(), ready: ready.clone() });
        Ok(Some(ready))
    }
}

#[cfg(test)]
mod tests {
    use steward_kit::predicate::ask;
    use steward_proto::common::v1::Predicate;

    use super::*;
    use crate::domain::routing::RuleDocument;
    use crate::events::facts::event_descriptor;

    const OVERDUE: &str = "steward.care.v1.ParcelOverdue";

    fn rule(when: &Predicate) -> RoutingRule {
        RoutingRule {
            id: RoutingRuleId::new(),
            code: "parcel_hint".to_owned(),
            estate_id: None,
            event_type: OVERDUE.to_owned(),
            template_key: "parcel.hint".to_owned(),
            document: RuleDocument { when: Some(condition(when).unwrap()), ..RuleDocument::default() },
            row_version: 1,
            create_time: "2026-03-01T00:00:00Z".parse().unwrap(),
        }
    }

    /// M5: a rule that is met again is not read again; one that says something else is, even under the same id and version.
    #[test]
    fn what_is_kept_serves_only_a_rule_that_says_the_same() {
        let (conditions, event) = (ReadyConditions::default(), event_descriptor(OVERDUE).unwrap());
        let on = |shelf: &str| ask::all([ask::equals("event.shelf_code", [shelf]), ask::is_true("household.is_renovating")]);
        let mut rule = rule(&on("A1"));
        let first = conditions.of(&rule, &event).unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &conditions.of(&rule, &event).unwrap().unwrap()));
        assert_eq!(first.household, Some(condition(&ask::is_true("household.is_renovating")).unwrap()));

        rule.document.when = Some(condition(&on("A2")).unwrap());
        let edited = conditions.of(&rule, &event).unwrap().unwrap();
        assert_ne!(edited.event, first.event);
        rule.document.when = None;
        assert!(conditions.of(&rule, &event).unwrap().is_none());
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let (conditions, event) = (ReadyConditions::default(), event_descriptor(OVERDUE).unwrap());
        let mut rule = rule(&ask::equals("event.shelf_code", ["A1"]));
        for _ in 0..=MOST {
            rule.id = RoutingRuleId::new();
            conditions.of(&rule, &event).unwrap();
        }
        assert_eq!(conditions.0.lock().unwrap().len(), 1);
    }
}
