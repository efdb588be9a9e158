//! Ids that only this service makes.

use steward_kit::define_id;

define_id!(QuestionnaireId, "questionnaire");
define_id!(QuestionnaireVersionId, "questionnaire version");
define_id!(ProgrammeId, "programme");
define_id!(WaveId, "wave");
define_id!(FrameJobId, "frame job");
define_id!(InvitationId, "invitation");
define_id!(ResponseId, "response");
define_id!(SessionId, "session");
define_id!(FeedbackItemId, "feedback item");
define_id!(ImprovementPlanId, "improvement plan");
define_id!(ReportId, "report");
define_id!(MysteryVisitId, "mystery visit");
