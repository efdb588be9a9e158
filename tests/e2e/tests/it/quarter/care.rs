//! What care does in the quarter: a bulletin to those who agreed, talks, and a batch of homes that are handed over.

use anyhow::{Context, Result, ensure};
use steward_kit::predicate::ask;
use steward_proto::{
    care::v1::{
        Action, Anchor, Audience, CalendarAnchor, CalendarSystem, CareLayer, ContactWay, CreateDeliveryBatchRequest,
        CreateProgrammeRequest, ListTouchpointsRequest, MessageAction, ProgrammeDocument, PublishProgrammeRequest, RecordContactRequest,
        RecordHandoverRequest, RecordUnitNoticeRequest, Touchpoint, TouchpointDefinition, TouchpointState, action, anchor, audience,
        delivery_batch_service_client::DeliveryBatchServiceClient, programme_service_client::ProgrammeServiceClient,
        relationship_service_client::RelationshipServiceClient, touchpoint_service_client::TouchpointServiceClient,
    },
    customer::v1::{Occupancy, UpdateUnitRequest, unit_service_client::UnitServiceClient},
    notification::v1::{
        Channel, ConsentMethod, ConsentProof, ConsentPurpose, GiveConsentRequest, consent_service_client::ConsentServiceClient,
    },
};

use super::{
    place::{Place, id, unless_unknown, until},
    register::{DELIVERED, HANDED_OVER, HOMES},
};

/// Code of the programme of bulletins.
pub(super) const BULLETINS: &str = "basic";

/// Homes that the bulletins are for: those of the first building.
pub(super) const BULLETIN_HOMES: usize = 24;

/// Of them, those that agree to care messages before the bulletin of June, and before that of August.
pub(super) const AGREED_IN_JUNE: usize = 10;
pub(super) const AGREED_IN_AUGUST: usize = 16;

/// Homes with which there is a talk in the quarter.
pub(super) const TALKED: usize = 38;

impl Place {
    /// A programme of basic care: a bulletin in June and one in August.
    pub(super) async fn bulletins(&self) -> Result<()> {
        let bulletin = |code: &str, month: u32| TouchpointDefinition {
            code: code.to_owned(),
            name_zh: "简报".to_owned(),
            name_en: "Bulletin".to_owned(),
            layer: CareLayer::Basic.into(),
            anchor: Some(Anchor {
                kind: Some(anchor::Kind::Calendar(CalendarAnchor { calendar: CalendarSystem::Solar.into(), month, day: 15 })),
            }),
            audience: Some(Audience { kind: Some(audience::Kind::Predicate(ask::equals("unit.building_code", ["1"]))) }),
            action: Some(Action {
                kind: Some(action::Kind::Message(MessageAction {
                    template_key: "care.notice".to_owned(),
                    purpose_class: "care".to_owned(),
                    ..MessageAction::default()
                })),
            }),
            ..TouchpointDefinition::default()
        };
        let document = ProgrammeDocument {
            name_zh: "基础关怀".to_owned(),
            name_en: "Basic care".to_owned(),
            touchpoints: vec![bulletin("june", 6), bulletin("august", 8)],
            ..ProgrammeDocument::default()
        };
        let mut programmes = ProgrammeServiceClient::new(self.gateway.clone());
        let create = CreateProgrammeRequest {
            request_id: id(),
            code: BULLETINS.to_owned(),
            estate_id: self.id.clone(),
            document: Some(document),
            plan_item_id: String::new(),
        };
        let programme_id = programmes.create_programme(self.by("manager", create)).await?.into_inner().programme.context("a draft")?.id;
        let publish = PublishProgrammeRequest { request_id: id(), programme_id, etag: String::new() };
        programmes.publish_programme(self.by("manager", publish)).await?;
        Ok(())
    }

    /// Waits until so many touchpoints stand in one of these states.
    pub(super) async fn touchpoints_until(&self, states: &[TouchpointState], count: usize) -> Result<()> {
        let reached = until("the touchpoints", || {
            let found = self.touchpoints(states);
            Box::pin(async move {
                let found = found.await?;
                ensure!(found.len() <= count, "{} touchpoints, {count} were expected", found.len());
                Ok((found.len() == count).then_some(()))
            })
        });
        if let Err(error) = reached.await {
            let all = self.touchpoints(&[]).await?;
            let all: Vec<_> = all.iter().map(|one| (&one.definition_code, one.state().as_str_name(), &one.reason_code)).collect();
            return Err(error.context(format!("{}: {count} in {states:?} of {all:?}", self.plan)));
        }
        Ok(())
    }

    async fn touchpoints(&self, states: &[TouchpointState]) -> Result<Vec<Touchpoint>> {
        let request = ListTouchpointsRequest {
            estate_id: self.id.clone(),
            page_size: 200,
            states: states.iter().map(|state| (*state).into()).collect(),
            ..ListTouchpointsRequest::default()
        };
        let mut touchpoints = TouchpointServiceClient::new(self.gateway.clone());
        Ok(touchpoints.list_touchpoints(self.by("manager", request)).await?.into_inner().touchpoints)
    }

    /// A customer agrees to care messages.
    pub(super) async fn agree(&self, home: usize) -> Result<()> {
        let home = &self.homes[home];
        let request = GiveConsentRequest {
            request_id: id(),
            customer_id: home.customer_id.clone(),
            purpose: ConsentPurpose::Care.into(),
            channel: Channel::Inbox.into(),
            text_version: "2026-03".to_owned(),
            language: "zh-CN".to_owned(),
            proof: Some(ConsentProof { method: ConsentMethod::App.into(), reference: String::new() }),
            give_time: None,
        };
        until("the customer in notification", || {
            let request = self.by_resident(home, request.clone());
            let mut consents = ConsentServiceClient::new(self.gateway.clone());
            Box::pin(async move { Ok(unless_unknown(consents.give_consent(request?).await)?.map(drop)) })
        })
        .await
    }

    /// A talk of the relationship, answered or not.
    pub(super) async fn talk(&self, home: usize, is_two_way: bool) -> Result<()> {
        let home = &self.homes[home];
        let request = RecordContactRequest {
            request_id: id(),
            estate_id: self.id.clone(),
            household_id: home.household_id.clone(),
            customer_id: home.customer_id.clone(),
            way: ContactWay::Phone.into(),
            purpose: "relationship".to_owned(),
            is_two_way,
            topics: Vec::new(),
            contact_time: None,
        };
        RelationshipServiceClient::new(self.gateway.clone()).record_contact(self.by("steward", request)).await?;
        Ok(())
    }

    /// The batch of the homes that wait, noticed; its id.
    pub(super) async fn notice_batch(&self) -> Result<String> {
        let mut batches = DeliveryBatchServiceClient::new(self.gateway.clone());
        let units: Vec<String> = self.homes[DELIVERED..HOMES].iter().map(|home| home.unit_id.clone()).collect();
        let create = CreateDeliveryBatchRequest {
            request_id: id(),
            estate_id: self.id.clone(),
            code: "batch-1".to_owned(),
            from_date: "2026-08-18".to_owned(),
            to_date: "2026-08-25".to_owned(),
            unit_ids: units.clone(),
            ..CreateDeliveryBatchRequest::default()
        };
        let made = batches.create_delivery_batch(self.by("manager", create)).await?.into_inner();
        let delivery_batch_id = made.delivery_batch.context("a batch")?.id;
        let enclosures = ["delivery_guide", "butler_guide", "resident_handbook", "inspection_handbook", "greeting_card"];
        for (at, unit_id) in units.into_iter().enumerate() {
            let notice = RecordUnitNoticeRequest {
                request_id: id(),
                delivery_batch_id: delivery_batch_id.clone(),
                unit_id,
                tracking_number: format!("SF-{at}"),
                enclosures: enclosures.map(str::to_owned).to_vec(),
            };
            batches.record_unit_notice(self.by("steward", notice)).await?;
        }
        Ok(delivery_batch_id)
    }

    /// Most of them are handed over in time.
    pub(super) async fn hand_over(&self, delivery_batch_id: &str) -> Result<()> {
        for home in &self.homes[DELIVERED..DELIVERED + HANDED_OVER] {
            let handover = RecordHandoverRequest {
                request_id: id(),
                delivery_batch_id: delivery_batch_id.to_owned(),
                unit_id: home.unit_id.clone(),
                handover_date: "2026-08-20".to_owned(),
                is_first_visit: true,
                delivered_items: Vec::new(),
            };
            DeliveryBatchServiceClient::new(self.gateway.clone()).record_handover(self.by("steward", handover)).await?;
            let update = UpdateUnitRequest {
                request_id: id(),
                unit_id: home.unit_id.clone(),
                update_mask: Some(prost_types::FieldMask { paths: vec!["delivery_date".to_owned(), "occupancy".to_owned()] }),
                delivery_date: "2026-08-20".to_owned(),
                occupancy: Occupancy::Occupied.into(),
                ..UpdateUnitRequest::default()
            };
            UnitServiceClient::new(self.gateway.clone()).update_unit(self.by("manager", update)).await?;
        }
        Ok(())
    }
}
