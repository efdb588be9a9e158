//! Ids that only this service makes.

use steward_kit::define_id;

define_id!(BuildingId, "building");
define_id!(EntranceId, "entrance");
define_id!(TenureId, "tenure");
define_id!(EstateImportId, "import");
define_id!(AuditId, "audit entry");
define_id!(RenovationId, "renovation");
define_id!(KeyDateId, "key date");
define_id!(TagId, "tag");
define_id!(SegmentId, "segment");
define_id!(AudienceId, "audience");
define_id!(ExitId, "exit");
