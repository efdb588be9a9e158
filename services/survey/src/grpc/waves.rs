//! The RPCs of `WaveService`.

use std::sync::Arc;

use steward_kit::Error;
use steward_kit::error::Violations;
use steward_kit::metric::{Ratio, SamplePlan, invitations};
use steward_kit::paging::{PageTokens, Query};
use steward_proto::survey::v1 as pb;
use steward_proto::survey::v1::wave_service_server::WaveService;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response};
use uuid::Uuid;

use super::design::design;
use super::request::{Mask, call, id, received, target};
use super::watch::{Watched, watch};
use super::{Answer, encode};
use crate::app::{App, NewWave, WaveEdit};
use crate::contract::Code;
use crate::domain::codes::{FrameVerdict, WaveState};
use crate::domain::ids::{FrameJobId, WaveId};
use crate::domain::{FrameJob, Wave};
use crate::store::frames::{MemberKey, list_members};
use crate::store::records::{RecordFilter, RecordKey};

/// The service.
pub(crate) struct Waves {
    app: Arc<App>,
    pages: PageTokens,
    shutdown: CancellationToken,
}

impl Waves {
    pub(crate) fn new(app: Arc<App>, pages: PageTokens, shutdown: CancellationToken) -> Self {
        Self { app, pages, shutdown }
    }
}

/// A verb on a wave or job: request, its id field, the method's name, and what the app does.
macro_rules! verb {
    ($self:ident, $request:ident, $method:literal, $field:ident, $answer:ident { $part:ident: $encode:path }, |$call:ident, $target:ident, $reply:ident| $do:expr) => {{
        let (access, $request) = received($request)?;
        let call = call(&access, $method, &$request, &$request.request_id)?;
        let mut bad = Violations::of(&$request);
        let target = target(&mut bad, stringify!($field), &$request.$field, &$request.etag);
        let $target = bad.build(|| target)?;
        let $call = &call;
        let $reply = |changed: &_| {
            #[allow(clippy::needless_update, reason = "one of the answers has a second field")]
            let answer = pb::$answer { $part: Some($encode(changed)), ..Default::default() };
            answer
        };
        Ok(Response::new($do.await?))
    }};
}

#[tonic::async_trait]
impl WaveService for Waves {
    type WatchFrameJobStream = Watched;

    async fn create_wave(&self, request: Request<pb::CreateWaveRequest>) -> Answer<pb::CreateWaveResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "CreateWave", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let programme = bad.id("programme_id", &request.programme_id);
        let version = bad.optional_id("questionnaire_version_id", &request.questionnaire_version_id);
        let design = request.design.as_ref().and_then(|wire| design(&mut bad, wire));
        let new =
            bad.build(|| Some(NewWave { estate: estate?, programme: programme?, name: request.name.clone(), version, design: design? }))?;
        let answer = |made: &Wave| pb::CreateWaveResponse { wave: Some(encode::wave(made)) };
        Ok(Response::new(self.app.create_wave(&call, new, answer).await?))
    }

    async fn update_wave(&self, request: Request<pb::UpdateWaveRequest>) -> Answer<pb::UpdateWaveResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "UpdateWave", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "wave_id", &request.wave_id, &request.etag);
        let mask = Mask::of(&mut bad, request.update_mask.as_ref(), &["name", "design", "questionnaire_version_id"]);
        let mut edit = WaveEdit::default();
        if mask.has("name") {
            edit.name = bad.text("name", &request.name);
        }
        if mask.has("design") {
            let wire = bad.required("design", request.design.as_ref());
            edit.design = wire.and_then(|wire| design(&mut bad, wire));
        }
        if mask.has("questionnaire_version_id") {
            edit.version = bad.id("questionnaire_version_id", &request.questionnaire_version_id);
        }
        let target = bad.build(|| target)?;
        let answer = |changed: &Wave| pb::UpdateWaveResponse { wave: Some(encode::wave(changed)) };
        Ok(Response::new(self.app.update_wave(&call, target, edit, answer).await?))
    }

    async fn get_wave(&self, request: Request<pb::GetWaveRequest>) -> Answer<pb::GetWaveResponse> {
        let (access, request) = received(request)?;
        let view = self.app.wave_view(&access, id(&request, "wave_id", &request.wave_id)?).await?;
        Ok(Response::new(pb::GetWaveResponse { wave: Some(encode::wave_view(&view)) }))
    }

    async fn list_waves(&self, request: Request<pb::ListWavesRequest>) -> Answer<pb::ListWavesResponse> {
        let (access, mut request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let programme = bad.optional_id::<crate::domain::ids::ProgrammeId>("programme_id", &request.programme_id);
        let estate = access.scope.estate(bad.build(|| estate)?)?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListWaves", &request);
        let page = self.pages.request(&query, size, &token)?;
        let state = WaveState::of_number(request.state).map(WaveState::as_str);
        let filter = RecordFilter { state, parent: programme.map(Uuid::from) };
        let rows: Vec<Wave> = self.app.list(&access, estate, filter, &page).await?;
        let page = self.pages.page(&query, page.size, rows, RecordKey::of)?;
        let waves = page.rows.iter().map(encode::wave).collect();
        Ok(Response::new(pb::ListWavesResponse { waves, next_page_token: page.next_page_token }))
    }

    async fn plan_sample(&self, request: Request<pb::PlanSampleRequest>) -> Answer<pb::PlanSampleResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let ids: Vec<String> = request.populations.iter().map(|population| population.estate_id.clone()).collect();
        let estates = bad.ids("populations", &ids);
        bad.finish()?;
        for estate in &estates {
            access.scope.estate(*estate)?;
        }
        let counts = self.app.populations(&estates, request.populations.iter().map(|one| one.household_count).collect()).await?;
        let share = |value: f64, usual: i128| if value > 0.0 { thousandths(value) } else { Ratio::new(usual, 1000) };
        let margin = share(request.margin, 50).ok_or_else(|| Error::invalid("margin", "double.gt", "must be more than 0"))?;
        let mut plan = SamplePlan::with_margin(margin).ok_or_else(|| Error::invalid("margin", "double.gt", "must be more than 0"))?;
        if request.confidence > 0.0 {
            plan.z = quantile(request.confidence);
        }
        let expected = share(request.expected_rate, 1000).unwrap_or(Ratio::ONE);
        let of = |estate_id: String, household_count: i64| {
            let answer_count = plan.size(Some(household_count)).unwrap_or_default();
            let invitation_count = invitations(answer_count, expected).unwrap_or(answer_count);
            pb::SamplePlan { estate_id, household_count, answer_count, invitation_count }
        };
        let plans = ids.into_iter().zip(&counts).map(|(id, count)| of(id, *count)).collect();
        Ok(Response::new(pb::PlanSampleResponse { plans, group: Some(of(String::new(), counts.iter().sum())) }))
    }

    async fn frame_wave(&self, request: Request<pb::FrameWaveRequest>) -> Answer<pb::FrameWaveResponse> {
        let (access, request) = received(request)?;
        let call = call(&access, "FrameWave", &request, &request.request_id)?;
        let mut bad = Violations::of(&request);
        let target = target(&mut bad, "wave_id", &request.wave_id, &request.etag);
        let target = bad.build(|| target)?;
        let answer =
            |job: &FrameJob, wave: &Wave| pb::FrameWaveResponse { frame_job: Some(encode::frame_job(job)), wave: Some(encode::wave(wave)) };
        Ok(Response::new(self.app.frame_wave(&call, target, answer).await?))
    }

    async fn get_frame_job(&self, request: Request<pb::GetFrameJobRequest>) -> Answer<pb::GetFrameJobResponse> {
        let (access, request) = received(request)?;
        let id: FrameJobId = id(&request, "frame_job_id", &request.frame_job_id)?;
        let job: FrameJob = self.app.load(&access, id).await?;
        Ok(Response::new(pb::GetFrameJobResponse { frame_job: Some(encode::frame_job(&job)) }))
    }

    async fn pause_frame_job(&self, request: Request<pb::PauseFrameJobRequest>) -> Answer<pb::PauseFrameJobResponse> {
        verb!(
            self,
            request,
            "PauseFrameJob",
            frame_job_id,
            PauseFrameJobResponse { frame_job: encode::frame_job },
            |call, target, reply| { self.app.turn_frame_job(call, target, FrameJob::pause, reply) }
        )
    }

    async fn resume_frame_job(&self, request: Request<pb::ResumeFrameJobRequest>) -> Answer<pb::ResumeFrameJobResponse> {
        verb!(
            self,
            request,
            "ResumeFrameJob",
            frame_job_id,
            ResumeFrameJobResponse { frame_job: encode::frame_job },
            |call, target, reply| { self.app.turn_frame_job(call, target, FrameJob::resume, reply) }
        )
    }

    async fn cancel_frame_job(&self, request: Request<pb::CancelFrameJobRequest>) -> Answer<pb::CancelFrameJobResponse> {
        verb!(
            self,
            request,
            "CancelFrameJob",
            frame_job_id,
            CancelFrameJobResponse { frame_job: encode::frame_job },
            |call, target, reply| { self.app.turn_frame_job(call, target, FrameJob::cancel, reply) }
        )
    }

    async fn watch_frame_job(&self, request: Request<pb::WatchFrameJobRequest>) -> Answer<Watched> {
        let (access, request) = received(request)?;
        let id: FrameJobId = id(&request, "frame_job_id", &request.frame_job_id)?;
        Ok(Response::new(watch(self.app.clone(), access, id, self.shutdown.clone()).await?))
    }

    async fn list_frame_members(&self, request: Request<pb::ListFrameMembersRequest>) -> Answer<pb::ListFrameMembersResponse> {
        let (access, mut request) = received(request)?;
        let wave: WaveId = id(&request, "wave_id", &request.wave_id)?;
        let wave: Wave = self.app.load(&access, wave).await?;
        let (size, token) = (std::mem::take(&mut request.page_size), std::mem::take(&mut request.page_token));
        let query = Query::of("ListFrameMembers", &request);
        let page = self.pages.request(&query, size, &token)?;
        let rows = list_members(self.app.db.pool(), &access.scope, &wave, FrameVerdict::of_number(request.verdict), &page).await?;
        let page = self.pages.page(&query, page.size, rows, |member| MemberKey(member.household))?;
        let members = page.rows.iter().map(encode::member).collect();
        Ok(Response::new(pb::ListFrameMembersResponse { members, next_page_token: page.next_page_token }))
    }

    async fn launch_wave(&self, request: Request<pb::LaunchWaveRequest>) -> Answer<pb::LaunchWaveResponse> {
        verb!(self, request, "LaunchWave", wave_id, LaunchWaveResponse { wave: encode::wave }, |call, target, reply| {
            self.app.launch_wave(call, target, reply)
        })
    }

    async fn close_wave(&self, request: Request<pb::CloseWaveRequest>) -> Answer<pb::CloseWaveResponse> {
        let reason = {
            let request = request.get_ref();
            if request.accepts_under_sample && request.reason.trim().is_empty() {
                return Err(Error::invalid("reason", "required", "must say why the wave is closed under-sampled").into());
            }
            request.accepts_under_sample.then(|| request.reason.clone())
        };
        verb!(self, request, "CloseWave", wave_id, CloseWaveResponse { wave: encode::wave }, |call, target, reply| {
            self.app.close_wave(call, target, reason, reply)
        })
    }

    async fn archive_wave(&self, request: Request<pb::ArchiveWaveRequest>) -> Answer<pb::ArchiveWaveResponse> {
        verb!(self, request, "ArchiveWave", wave_id, ArchiveWaveResponse { wave: encode::wave }, |call, target, reply| {
            self.app.archive_wave(call, target, reply)
        })
    }

    async fn cancel_wave(&self, request: Request<pb::CancelWaveRequest>) -> Answer<pb::CancelWaveResponse> {
        verb!(self, request, "CancelWave", wave_id, CancelWaveResponse { wave: encode::wave }, |call, target, reply| {
            self.app.cancel_wave(call, target, reply)
        })
    }

    async fn record_wave_cost(&self, request: Request<pb::RecordWaveCostRequest>) -> Answer<pb::RecordWaveCostResponse> {
        let cost = request.get_ref().cost_fen;
        verb!(self, request, "RecordWaveCost", wave_id, RecordWaveCostResponse { wave: encode::wave }, |call, target, reply| {
            self.app.record_cost(call, target, cost, reply)
        })
    }

    async fn summarise_wave_costs(&self, request: Request<pb::SummariseWaveCostsRequest>) -> Answer<pb::SummariseWaveCostsResponse> {
        let (access, request) = received(request)?;
        let mut bad = Violations::of(&request);
        let estate = bad.id("estate_id", &request.estate_id);
        let from = bad.date("from_date", &request.from_date);
        let to = bad.date("to_date", &request.to_date);
        let (estate, from, to) = bad.build(|| Some((estate?, from?, to?)))?;
        let (wave_count, cost_fen) = self.app.wave_costs(access.scope.estate(estate)?, from, to).await?;
        Ok(Response::new(pb::SummariseWaveCostsResponse { wave_count, cost_fen }))
    }
}

/// A share in thousandths, which is as fine as plans are.
#[allow(clippy::cast_possible_truncation, reason = "a share of 0 to 1 in thousandths")]
fn thousandths(value: f64) -> Option<Ratio> {
    Ratio::new((value * 1000.0).round() as i128, 1000).filter(|ratio| *ratio > Ratio::ZERO)
}

/// The quantile of a confidence; 1.96 for 95 per cent.
fn quantile(confidence: f64) -> Ratio {
    let hundredths = match confidence {
        high if high >= 0.99 => 258,
        high if high >= 0.95 => 196,
        high if high >= 0.90 => 164,
        high if high >= 0.80 => 128,
        _ => 100,
    };
    Ratio::new(hundredths, 100).unwrap_or(Ratio::ONE)
}
