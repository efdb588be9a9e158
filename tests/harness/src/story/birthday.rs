//! A birthday that is kept by the lunar calendar (CA-28, CP-31, XC-24): greeted on its day, at the programme's hour, once.

use anyhow::{Context, Result, bail, ensure};
use jiff::{SignedDuration, ToSpan as _, civil::Date};
use steward_kit::calendar::LunarDate;
use steward_proto::{
    care::v1::{
        Action, Anchor, Audience, CareLayer, DriveTag, Everyone, KeyDateAnchor, MessageAction, ProgrammeDocument, TouchpointDefinition,
        TouchpointState, action, anchor, audience,
    },
    customer::v1::{KeyDateKind, SetKeyDateRequest, profile_service_client::ProfileServiceClient},
    notification::v1::{
        Channel, ConsentMethod, ConsentProof, ConsentPurpose, GiveConsentRequest, InboxItem, ListInboxItemsRequest,
        consent_service_client::ConsentServiceClient, inbox_service_client::InboxServiceClient,
    },
};

use super::{
    home::household_of,
    prologue::{Estate, manager},
    stage::{Actor, Stage, given, instant, request_id},
    touchpoints,
};
use crate::tokens::Claims;

const PROGRAMME: &str = "birthdays";

/// The lunar year that the resident was born in.
const BIRTH_YEAR: i16 = 1976;

/// The hour of the programme, in the estate.
const HOUR: &str = "08:30";

pub(super) async fn play(stage: &Stage, estate: &Estate) -> Result<()> {
    stage.scene("A birthday by the lunar calendar");
    let steward = stage.actor("the steward", &Claims::staff("steward.sun").role("steward").estate(&estate.id))?;
    let resident = Claims::customer("resident.luo", &estate.customer_id).role("resident").estate(&estate.id);
    let resident = stage.actor("the resident", &resident)?;
    let manager = manager(stage, &estate.id)?;
    let (born, day) = birthday(stage.local_date(stage.now()))?;
    keep(stage, &steward, &resident, estate, born).await?;
    let lunar = LunarDate::from_civil(day)?;
    stage.tell(format!("born on {born}, day {} of lunar month {}: this year that is {day}", lunar.day(), lunar.month()));

    touchpoints::publish(stage, &manager, estate, PROGRAMME, document()).await?;
    let household = household_of(stage, &manager, &estate.unit_id).await?;
    let planned = touchpoints::until(stage, &manager, &household, PROGRAMME, TouchpointState::Planned).await?;
    let due = instant(planned.due_time)?;
    ensure!(due == stage.local_instant(day, 8, 30)?, "it is due on the day at {HOUR}, not at {}", stage.local(due));

    stage.move_to(due - SignedDuration::from_secs(1))?;
    ensure!(greetings(stage, &resident, &planned.id).await?.is_empty(), "no greeting before its hour");
    stage.move_to(due)?;
    let item = stage
        .await_retried("the greeting", || {
            let found = greetings(stage, &resident, &planned.id);
            async move { Ok(found.await?.into_iter().next()) }
        })
        .await?;
    stage.tell(format!("in the resident's inbox at {}: {} {}", stage.local_proto(item.create_time), item.title, item.body));
    let confirmed = touchpoints::until(stage, &manager, &household, PROGRAMME, TouchpointState::Confirmed).await?;
    touchpoints::tell(stage, &confirmed);
    ensure!(confirmed.customer_id == estate.customer_id, "whoever has the birthday is greeted, not whom the home is let to");

    stage.move_to(stage.next_local_hour(9)?)?;
    let count = greetings(stage, &resident, &planned.id).await?.len();
    ensure!(count == 1, "{count} greetings for one birthday");
    stage.tell("a day later there is still one");
    Ok(())
}

/// A day of birth whose lunar day falls on one of the next days, and that day.
fn birthday(today: Date) -> Result<(Date, Date)> {
    for ahead in 2..=5 {
        let day = today.checked_add(ahead.days())?;
        let lunar = LunarDate::from_civil(day)?;
        // A leap month, or a 30th, is kept on another day in most years; that is a story of its own.
        if !lunar.is_leap_month() && lunar.day() < 30 {
            return Ok((LunarDate::new(BIRTH_YEAR, lunar.month(), false, lunar.day())?.to_civil(), day));
        }
    }
    bail!("four days of a leap month on end")
}

/// The resident agrees to be greeted, and the steward records the day.
async fn keep(stage: &Stage, steward: &Actor, resident: &Actor, estate: &Estate, born: Date) -> Result<()> {
    let consent = GiveConsentRequest {
        request_id: request_id(),
        customer_id: estate.customer_id.clone(),
        purpose: ConsentPurpose::Care.into(),
        channel: Channel::Inbox.into(),
        text_version: "2026-03".to_owned(),
        language: "zh-CN".to_owned(),
        proof: Some(ConsentProof { method: ConsentMethod::App.into(), reference: String::new() }),
        give_time: None,
    };
    let mut consents = ConsentServiceClient::new(stage.gateway.clone());
    let given_consent = consents.give_consent(resident.asks(consent)?).await.context("giving the consent")?.into_inner();
    let consent = given(given_consent.consent, "consent")?;
    stage.tell(format!("{} agrees to messages of care ({})", resident.name(), consent.id));
    let date = SetKeyDateRequest {
        request_id: request_id(),
        customer_id: estate.customer_id.clone(),
        kind: KeyDateKind::Birthday.into(),
        occur_date: born.to_string(),
        is_lunar: true,
        unit_id: String::new(),
        source: "visit".to_owned(),
        consent_id: consent.id,
    };
    let mut profiles = ProfileServiceClient::new(stage.gateway.clone());
    let kept = profiles.set_key_date(steward.asks(date)?).await.context("recording the birthday")?.into_inner();
    let date = given(kept.key_date, "key date")?;
    stage.tell(format!("{} records the birthday, answered as {}, next on {}", steward.name(), date.masked_date, date.next_date));
    Ok(())
}

fn document() -> ProgrammeDocument {
    let greeting = TouchpointDefinition {
        code: "birthday".to_owned(),
        name_zh: "生日祝福".to_owned(),
        name_en: "Birthday greeting".to_owned(),
        layer: CareLayer::Basic.into(),
        drive_tags: vec![DriveTag::Delight.into()],
        anchor: Some(Anchor { kind: Some(anchor::Kind::KeyDate(KeyDateAnchor { kind: "birthday".to_owned() })) }),
        local_time: HOUR.to_owned(),
        audience: Some(Audience { kind: Some(audience::Kind::Everyone(Everyone {})) }),
        action: Some(Action {
            kind: Some(action::Kind::Message(MessageAction {
                template_key: "care.birthday".to_owned(),
                purpose_class: "care".to_owned(),
                ..MessageAction::default()
            })),
        }),
        ..TouchpointDefinition::default()
    };
    ProgrammeDocument {
        name_zh: "生日关怀".to_owned(),
        name_en: "Birthdays".to_owned(),
        touchpoints: vec![greeting],
        ..ProgrammeDocument::default()
    }
}

/// Greetings of a touchpoint in the resident's inbox.
async fn greetings(stage: &Stage, resident: &Actor, touchpoint_id: &str) -> Result<Vec<InboxItem>> {
    let request = resident.asks(ListInboxItemsRequest { page_size: 200, ..ListInboxItemsRequest::default() })?;
    let answer = InboxServiceClient::new(stage.gateway.clone()).list_inbox_items(request).await.context("reading the inbox")?;
    Ok(answer.into_inner().items.into_iter().filter(|item| item.subject_id == touchpoint_id).collect())
}
