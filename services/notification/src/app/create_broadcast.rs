//! A broadcast that a caller asks for: everything that would hold it up later is refused now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use steward_kit::error::Violations;
use steward_kit::ids::EstateId;
use steward_kit::predicate::{Catalogue, Compiled};
use steward_kit::{Error, Result};
use steward_kit_store::Effects;
use steward_proto::common::v1::Predicate;
use uuid::Uuid;

use super::App;
use super::send_message::{OVERRIDE, may_say};
use super::transact::Call;
use crate::domain::broadcast::{Broadcast, BroadcastChange, BroadcastDocument, Exclusion};
use crate::domain::codes::{BroadcastChangeKind, BroadcastState, Channel, Language};
use crate::domain::ids::id_at;
use crate::domain::template::TemplateVersion;
use crate::events::broadcasts::of_created;
use crate::rule_condition::condition;
use crate::store::broadcasts::insert_broadcast;

/// What to say to whom.
#[derive(Debug)]
pub(crate) struct NewBroadcast {
    pub(crate) title: String,
    pub(crate) estates: Vec<EstateId>,
    pub(crate) audience: Option<Predicate>,
    /// Code and predicate.
    pub(crate) exclusions: Vec<(String, Predicate)>,
    pub(crate) template_key: String,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) subject_kind: String,
    pub(crate) subject_id: Option<Uuid>,
    pub(crate) start_time: Option<Timestamp>,
    pub(crate) due_time: Option<Timestamp>,
    pub(crate) uses_profile: bool,
    /// What the danger is; the template must be one for emergencies then, and may not be one without it.
    pub(crate) emergency: Option<String>,
}

impl App {
    /// Creates a broadcast. Two trips: the template, and the rows with their timers and claim.
    pub(crate) async fn create_broadcast<R: prost::Message + Default>(
        &self,
        call: &Call<'_>,
        new: NewBroadcast,
        answer: impl Fn(&Broadcast) -> Result<R>,
    ) -> Result<R> {
        let mut estates: Vec<EstateId> = Vec::new();
        for estate in &new.estates {
            self.estates.get(call.access.scope.estate(*estate)?.id()).await?;
            if !estates.contains(estate) {
                estates.push(*estate);
            }
        }
        let template = match self.active_template(&new.template_key).await {
            Ok(template) => template,
            Err(refusal) => return self.unless_repeated(call, refusal).await,
        };
        may_say(call, template.class, new.emergency.is_some())?;
        let now = self.clock.now();
        let start_time = new.start_time.map_or(now, |start| start.max(now));
        check(&new, &template, start_time)?;
        self.try_texts(&estates, &new, &template, start_time).await?;
        let broadcast = Broadcast {
            id: id_at(now),
            title: new.title.clone(),
            estate_ids: estates,
            class: template.class,
            template_version_id: template.id,
            template_key: template.key.clone(),
            template_version: template.version,
            document: document(&new)?,
            subject_kind: new.subject_kind,
            subject_id: new.subject_id,
            start_time,
            due_time: new.due_time,
            state: BroadcastState::Scheduled,
            is_late: false,
            begin_time: None,
            end_time: None,
            changes: vec![BroadcastChange {
                kind: BroadcastChangeKind::Created,
                actor: call.actor(),
                time: now,
                reason: new.emergency.clone().unwrap_or_default(),
            }],
            estate_done_count: 0,
            household_count: 0,
            message_count: 0,
            page_count: 0,
            row_version: 1,
            create_time: now,
            update_time: now,
        };
        let response = answer(&broadcast)?;
        let effects = Effects { claim: call.claim(&response), ..of_created(&broadcast) };
        match insert_broadcast(self.db.pool(), &broadcast, &effects, now).await {
            Ok(()) => {
                self.db.wake(&effects);
                note_emergency(call, &broadcast);
                Ok(response)
            }
            Err(error) => self.failed(call, error).await,
        }
    }

    /// Writes every text once, as it would read: a value that does not fit is refused before anybody is told.
    async fn try_texts(&self, estates: &[EstateId], new: &NewBroadcast, template: &TemplateVersion, start_time: Timestamp) -> Result<()> {
        let Some(estate) = estates.first() else { return Ok(()) };
        let place = self.place(*estate, start_time).await?;
        for language in Language::ALL {
            self.render(&place, template, &new.variables, (*language, start_time))?;
        }
        Ok(())
    }
}

/// Every fault of variables, predicates and times at once.
fn check(new: &NewBroadcast, template: &TemplateVersion, start_time: Timestamp) -> Result<()> {
    let mut bad = Violations::new();
    let catalogue = Catalogue::household();
    if let Some(audience) = &new.audience {
        Compiled::of(audience, catalogue, "audience", &mut bad);
    }
    for (at, (_, predicate)) in new.exclusions.iter().enumerate() {
        Compiled::of(predicate, catalogue, &format!("exclusions[{at}].predicate"), &mut bad);
    }
    template.check_given("variables", &new.variables, &mut bad);
    if new.due_time.is_some_and(|due| due <= start_time) {
        bad.add("due_time", "TIME_NOT_PLAUSIBLE", "must be after the start");
    }
    bad.finish()
}

fn document(new: &NewBroadcast) -> Result<BroadcastDocument> {
    let exclusion = |(code, predicate): &(String, Predicate)| Ok(Exclusion { code: code.clone(), when: condition(predicate)? });
    Ok(BroadcastDocument {
        audience: new.audience.as_ref().map(condition).transpose()?,
        exclusions: new.exclusions.iter().map(exclusion).collect::<Result<_, Error>>()?,
        variables: new.variables.clone(),
        channels: new.channels.clone(),
        uses_profile: new.uses_profile,
        emergency_reason: new.emergency.clone(),
    })
}

/// The audit log keeps who goes past the rules, and why; the ledger has it with everybody who is told.
fn note_emergency(call: &Call<'_>, broadcast: &Broadcast) {
    let Some(reason) = &broadcast.document.emergency_reason else { return };
    tracing::warn!(
        target: "audit",
        subject = call.access.principal.subject,
        permission = OVERRIDE,
        broadcast = %broadcast.id,
        estates = ?broadcast.estate_ids,
        reason,
        "an emergency broadcast goes past the contact ledger"
    );
}
