//! Ids that only this service makes.

use steward_kit::define_id;

define_id!(BuildingId, "building");
define_id!(EntranceId, "entrance");
define_id!(TenureId, "tenure");
define_id!(EstateImportId, "estate import");
define_id!(AuditId, "audit entry");
