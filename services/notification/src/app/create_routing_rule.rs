//! A new rule: checked against the event's fields and the template's variables before it may decide anything.

use prost::Message;
use prost_reflect::MessageDescriptor;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::{Error, Result};
use steward_kit_store::{Effects, constraint};
use steward_proto::common::v1::Predicate;

use super::App;
use super::transact::Call;
use crate::domain::codes::RecipientRule;
use crate::domain::ids::RoutingRuleId;
use crate::domain::routing::{RoutingRule, RuleDocument};
use crate::domain::template::TemplateVersion;
use crate::events::facts::{check_path, event_descriptor};
use crate::rule_condition::{self, condition};
use crate::store::rules::{CODE_TAKEN, insert_rule};

/// What a caller wrote.
#[derive(Debug)]
pub(crate) struct NewRule {
    pub(crate) code: String,
    pub(crate) estate: Option<EstateId>,
    pub(crate) event_type: String,
    pub(crate) template_key: String,
    pub(crate) when: Option<Predicate>,
    /// Without its condition, which is `when`.
    pub(crate) document: RuleDocument,
}

impl App {
    /// Checks and adds a rule. Two trips: the template, and the row with its claim.
    pub(crate) async fn create_routing_rule<R: Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewRule,
        answer: impl Fn(&RoutingRule) -> R,
    ) -> Result<R> {
        match new.estate {
            Some(estate) => drop(self.estates.get(call.access.scope.estate(estate)?.id()).await?),
            // A rule for every estate is for those who have them all.
            None if call.access.scope.estates().is_some() => {
                return Err(Error::invalid("estate_id", "ESTATE_NOT_FOUND", "must be given, unless the caller has every estate"));
            }
            None => {}
        }
        let event = event_descriptor(&new.event_type)
            .ok_or_else(|| Error::invalid("event_type", "EVENT_TYPE_UNKNOWN", "no published fact has this type"))?;
        let template = match self.active_template(&new.template_key).await {
            Ok(template) => template,
            Err(refusal) => return self.unless_repeated(call, refusal).await,
        };
        check(&new, &event, &template)?;
        let when = new.when.as_ref().map(condition).transpose()?;
        let now = self.clock.now();
        let rule = RoutingRule {
            id: RoutingRuleId::new(),
            code: new.code,
            estate_id: new.estate,
            event_type: new.event_type,
            template_key: new.template_key,
            document: RuleDocument { when, ..new.document },
            row_version: 1,
            create_time: now,
        };
        let response = answer(&rule);
        let effects = Effects { claim: call.claim(&response), ..Effects::none() };
        match insert_rule(self.db.pool(), &rule, &effects, now).await {
            Ok(()) => Ok(response),
            Err(error) if constraint(&error) == Some(CODE_TAKEN) => {
                let refusal = Error::already_exists("routing rule", "ROUTING_RULE_EXISTS", "a rule of the same scope has this code");
                self.unless_repeated(call, refusal).await
            }
            Err(error) => self.failed(call, error).await,
        }
    }
}

fn check(new: &NewRule, event: &MessageDescriptor, template: &TemplateVersion) -> Result<()> {
    let (document, mut bad) = (&new.document, Violations::new());
    let parts = new.when.as_ref().and_then(|when| rule_condition::read(when, event, "when", &mut bad));
    if parts.is_some_and(|parts| parts.household.is_some()) && document.household_path.is_empty() {
        bad.add("household_path", "HOUSEHOLD_PATH_MISSING", "must say where the event names the household that `when` asks about");
    }
    let mut path = |field: String, path: &str| {
        if !check_path(event, path) {
            bad.add(field, "PATH_UNKNOWN", "the event's payload has no such field");
        }
    };
    for (at, recipient) in document.recipients.iter().enumerate() {
        match recipient.kind {
            RecipientRule::Role => {}
            RecipientRule::Customer | RecipientRule::Staff | RecipientRule::Roles => {
                path(format!("recipients[{at}].value"), &recipient.value)
            }
        }
    }
    for (name, from) in &document.variables {
        path(format!("variables[{name}]"), from);
    }
    let single = [
        ("subject_path", &document.subject_path),
        ("household_path", &document.household_path),
        ("template_path", &document.template_path),
        ("class_path", &document.class_path),
    ];
    for (field, from) in single.into_iter().filter(|(_, from)| !from.is_empty()) {
        path(field.to_owned(), from);
    }
    for (at, from) in document.key_paths.iter().enumerate() {
        path(format!("key_paths[{at}]"), from);
    }
    template.check_given("variables", &document.variables, &mut bad);
    bad.finish()
}
