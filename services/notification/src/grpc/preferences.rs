//! The RPCs of `PreferenceService`.

use std::collections::BTreeMap;
use std::sync::Arc;

use steward_kit::error::Violations;
use steward_kit::ids::CustomerId;
use steward_kit::proto::to_timestamp;
use steward_proto::notification::v1 as pb;
use steward_proto::notification::v1::preference_service_server::PreferenceService;
use tonic::{Request, Response};

use super::Answer;
use super::request::{call, language, received, target};
use crate::app::{App, PreferenceChange};
use crate::contract::{Code, all, required};
use crate::domain::codes::Class;
use crate::domain::preference::{Preferences as Wanted, QuietHours};
use crate::store::preferences::load_preferences;

/// The service.
pub(crate) struct Preferences {
    app: Arc<App>,
}

impl Preferences {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl PreferenceService for Preferences {
    async fn get_preferences(&self, request: Request<pb::GetPreferencesRequest>) -> Answer<pb::GetPreferencesResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let customer = bad.id::<CustomerId>("customer_id", &request.customer_id);
        let customer = bad.build(|| customer)?;
        self.app.customer_in_scope(&access, customer).await?;
        let preferences = load_preferences(self.app.db.pool(), customer).await?;
        Ok(Response::new(pb::GetPreferencesResponse { preferences: Some(encode(&preferences)) }))
    }

    async fn update_preferences(&self, request: Request<pb::UpdatePreferencesRequest>) -> Answer<pb::UpdatePreferencesResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "UpdatePreferences", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "customer_id", &request.customer_id, &request.etag);
        let change = change(&mut bad, &request);
        let target = bad.build(|| target)?;
        let answer = |preferences: &Wanted| pb::UpdatePreferencesResponse { preferences: Some(encode(preferences)) };
        Ok(Response::new(self.app.update_preferences(&call, target, change, answer).await?))
    }
}

fn change(bad: &mut Violations, request: &pb::UpdatePreferencesRequest) -> PreferenceChange {
    let mut change = PreferenceChange::default();
    let paths = request.update_mask.as_ref().map(|mask| mask.paths.as_slice()).unwrap_or_default();
    if paths.is_empty() {
        bad.add("update_mask", "MASK_INVALID", "must name at least one field");
    }
    for path in paths {
        match path.as_str() {
            "language" if request.language.is_empty() => change.language = Some(None),
            "language" => change.language = Some(language(bad, "language", &request.language)),
            "class_preferences" => change.classes = Some(classes(bad, &request.class_preferences)),
            "quiet_hours" => {
                change.quiet_hours = Some(request.quiet_hours.as_ref().and_then(|hours| {
                    let read = QuietHours::parse(&hours.from_local, &hours.to_local);
                    if read.is_none() {
                        bad.add("quiet_hours", "QUIET_HOURS_INVALID", "must be local times HH:MM");
                    }
                    read
                }));
            }
            _ => bad.add("update_mask", "MASK_INVALID", "names a field that can not be changed"),
        }
    }
    change
}

fn classes(bad: &mut Violations, given: &[pb::ClassPreference]) -> BTreeMap<Class, Vec<crate::domain::codes::Channel>> {
    let mut classes = BTreeMap::new();
    for (at, one) in given.iter().enumerate() {
        let class = required::<Class>(bad, &format!("class_preferences[{at}].message_class"), one.message_class);
        let channels = all(bad, &format!("class_preferences[{at}].channels"), &one.channels);
        if let Some(class) = class
            && classes.insert(class, channels).is_some()
        {
            bad.add(format!("class_preferences[{at}].message_class"), "repeated.unique", "each class stands there at most once");
        }
    }
    classes
}

fn encode(preferences: &Wanted) -> pb::Preferences {
    let class_preferences = preferences.classes.iter().map(|(class, channels)| pb::ClassPreference {
        message_class: class.number(),
        channels: channels.iter().map(|channel| channel.number()).collect(),
    });
    let quiet_hours =
        preferences.quiet_hours.as_ref().map(|hours| pb::QuietHours { from_local: hours.from.to_string(), to_local: hours.to.to_string() });
    pb::Preferences {
        customer_id: preferences.customer_id.to_string(),
        language: preferences.language.map(|language| language.to_string()).unwrap_or_default(),
        class_preferences: class_preferences.collect(),
        quiet_hours,
        etag: preferences.row_version.to_string(),
        update_time: preferences.update_time.map(to_timestamp),
    }
}
