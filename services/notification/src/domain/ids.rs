//! Ids that only this service makes.

use steward_kit::define_id;

define_id!(TemplateVersionId, "template version");
define_id!(RoutingRuleId, "routing rule");
define_id!(DeliveryId, "delivery");
define_id!(ConsentId, "consent");
define_id!(WebhookEndpointId, "webhook endpoint");
