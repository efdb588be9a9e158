//! What the households answer: a low score becomes an order (SV-45), and the wave closes with results that say how far they can be
//! trusted (SV-21, SV-40, SV-44).

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use steward_proto::{
    common::v1::WorkOrderKind,
    survey::v1::{
        CloseWaveRequest, Figure, FrameMember, GetWaveResultsRequest, ListInvitationsRequest, ResponseVerdict, SubmitResponseRequest, Wave,
        response_service_client::ResponseServiceClient, result_service_client::ResultServiceClient, wave_service_client::WaveServiceClient,
    },
    work_order::v1::{ListWorkOrdersRequest, WorkOrder, work_order_service_client::WorkOrderServiceClient},
};

use super::{
    prologue::Estate,
    questionnaire,
    stage::{Actor, Stage, given, proto_time, request_id},
    wave::DRAWN,
};
use crate::tokens::Claims;

/// What those say who answer, in the order of the draw: one is not satisfied at all, three are neutral, the others are satisfied.
/// Four of those drawn do not answer.
const OPINIONS: [u32; 36] = [1, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5];

/// How many of them complained, too few for their answers to be shown.
const COMPLAINED: usize = 3;

pub(super) async fn play(stage: &Stage, estate: &Estate, manager: &Actor, wave: &Wave, drawn: Vec<FrameMember>) -> Result<()> {
    stage.scene(format!("{} of {DRAWN} answer; a low score becomes an order", OPINIONS.len()));
    for (at, (member, overall)) in drawn.iter().zip(OPINIONS).enumerate() {
        answer(stage, estate, &wave.id, member, overall, (at < COMPLAINED).then_some(at == 0)).await?;
    }
    let unhappy = drawn.first().context("somebody was drawn")?;
    let order = asked_order(stage, manager, &unhappy.customer_id).await?;
    stage.tell(format!("household {} answered 1 of 5: {} asks what went wrong", unhappy.household_id, order.number));

    stage.scene("The wave closes with its results");
    let request = CloseWaveRequest { request_id: request_id(), wave_id: wave.id.clone(), ..CloseWaveRequest::default() };
    WaveServiceClient::new(stage.gateway.clone()).close_wave(manager.asks(request)?).await.context("closing the wave")?;
    results(stage, manager, &wave.id).await
}

/// A resident of the household answers in the app.
async fn answer(
    stage: &Stage,
    estate: &Estate,
    wave_id: &str,
    member: &FrameMember,
    overall: u32,
    complaint_was_timely: Option<bool>,
) -> Result<()> {
    let claims = Claims::customer(&format!("resident.{}", member.draw_position), &member.customer_id).role("resident").estate(&estate.id);
    let resident = stage.actor("a resident", &claims)?;
    let mut responses = ResponseServiceClient::new(stage.gateway.clone());
    let list = ListInvitationsRequest { wave_id: wave_id.to_owned(), page_size: 200, ..ListInvitationsRequest::default() };
    let invitations =
        responses.list_invitations(resident.asks(list)?).await.context("looking for the invitation")?.into_inner().invitations;
    // Who owns two homes is asked for each.
    let invitation = invitations.into_iter().find(|one| one.household_id == member.household_id).context("the household's invitation")?;
    let submit = SubmitResponseRequest {
        request_id: request_id(),
        wave_id: wave_id.to_owned(),
        response_id: request_id(),
        invitation_id: invitation.id,
        answers: questionnaire::answers(overall, complaint_was_timely),
        start_time: Some(proto_time(stage.now() - SignedDuration::from_mins(3))),
        device_fingerprint: String::new(),
    };
    let response = responses.submit_response(resident.asks(submit)?).await.context("answering")?.into_inner().response;
    let verdict = given(response, "response")?.verdict();
    ensure!(verdict == ResponseVerdict::Valid, "the answer counts, it is {}", verdict.as_str_name());
    Ok(())
}

/// The one order that a low score asked for.
async fn asked_order(stage: &Stage, manager: &Actor, customer_id: &str) -> Result<WorkOrder> {
    let orders = WorkOrderServiceClient::new(stage.gateway.clone());
    let request = ListWorkOrdersRequest { customer_id: customer_id.to_owned(), ..ListWorkOrdersRequest::default() };
    stage
        .await_retried("the order that the low score asked for", || {
            let (mut orders, request) = (orders.clone(), manager.asks(request.clone()));
            async move {
                let found = orders.list_work_orders(request?).await.context("listing the orders")?.into_inner().work_orders;
                let mut asked = found.into_iter().filter(|order| order.kind() == WorkOrderKind::Request);
                let first = asked.next();
                ensure!(asked.next().is_none(), "one low score is one order");
                Ok(first)
            }
        })
        .await
}

async fn results(stage: &Stage, manager: &Actor, wave_id: &str) -> Result<()> {
    let request = manager.asks(GetWaveResultsRequest { wave_id: wave_id.to_owned() })?;
    let answer = ResultServiceClient::new(stage.gateway.clone()).get_wave_results(request).await.context("reading the results")?;
    let results = given(answer.into_inner().results, "results")?;
    let (valid, satisfied) = (i64::try_from(OPINIONS.len())?, OPINIONS.iter().filter(|opinion| **opinion >= 4).count());
    let response = given(results.response_rate, "response rate")?;
    let csat = given(results.csat_rate, "satisfaction rate")?;
    let timely = given(results.complaint_timely_rate, "timely rate")?;
    for figure in [Some(&response), Some(&csat), results.csat_score.as_ref(), results.nps.as_ref(), Some(&timely)].into_iter().flatten() {
        stage.tell(format!("  {}", shown(figure, results.suppression_threshold)));
    }
    let share = f64::from(u32::try_from(satisfied)?) / f64::from(u32::try_from(OPINIONS.len())?);
    ensure!(csat.n == valid && (csat.value - share).abs() < 1e-9, "{satisfied} of {valid} are satisfied, not {} of {}", csat.value, csat.n);
    let all = f64::from(u32::try_from(valid)?) / f64::from(DRAWN);
    ensure!((response.value - all).abs() < 1e-9, "{valid} of {DRAWN} answered, not {}", response.value);
    ensure!(0.0 < csat.low && csat.low < share && share < csat.high && csat.high < 1.0, "the interval lies around the rate");
    ensure!(timely.is_suppressed && timely.value == 0.0, "what {COMPLAINED} households said is not shown");
    ensure!(!results.is_under_sample, "enough answered");
    Ok(())
}

/// A figure as a report shows it: with n, method and interval, or not at all.
fn shown(figure: &Figure, threshold: u32) -> String {
    let name = format!("{:<24}", figure.metric_id);
    if figure.is_suppressed {
        return format!("{name} not shown: fewer than {threshold} answered (n={})", figure.n);
    }
    let (scale, unit) = if figure.metric_id.ends_with("_rate") { (100.0, " %") } else { (1.0, "") };
    let interval = if figure.high > figure.low {
        format!(", {:.0} % interval {:.1} to {:.1}", figure.confidence * 100.0, figure.low * scale, figure.high * scale)
    } else {
        String::new()
    };
    // A board judges the figure by its design weights: buildings that answered less count as much as they are large.
    let weighted = if (figure.weighted_value - figure.value).abs() > f64::EPSILON && figure.weighted_denominator > 0 {
        format!(", by design weights {:.1}{unit}", figure.weighted_value * scale)
    } else {
        String::new()
    };
    format!("{name} {:.1}{unit}{weighted} (n={}, {}{interval})", figure.value * scale, figure.n, figure.method)
}
