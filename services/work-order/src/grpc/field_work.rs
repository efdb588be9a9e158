//! Work on site: from requests to commands, and from the domain to messages.

use steward_kit::Result;
use steward_kit::error::Violations;
use steward_kit::proto::to_timestamp;
use steward_proto::work_order::v1 as pb;

use super::decode::{media, target};
use crate::app::Target;
use crate::domain::{Actor, Appoint, Appointment, ApproveSuspension, ConfirmQuote, Quote, QuoteWork, StartWork, Weather, WorkStart};

pub(super) fn agree_appointment(request: &pb::AgreeAppointmentRequest, actor: Actor) -> Result<(Target, Appoint)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let start = bad.optional_timestamp("start_time", request.start_time.as_ref());
    let end = bad.optional_timestamp("end_time", request.end_time.as_ref());
    bad.build(|| Some((target?, Appoint { actor, start: start?, end: end?, apology_call: request.apology_call })))
}

pub(super) fn start_work(request: &pb::StartWorkRequest, actor: Actor) -> Result<(Target, StartWork)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let occur_time = bad.optional_timestamp("occur_time", request.occur_time.as_ref());
    bad.build(|| Some((target?, StartWork { actor, occur_time, checked: request.checked.clone() })))
}

pub(super) fn quote_work(request: &pb::QuoteWorkRequest, actor: Actor) -> Result<(Target, QuoteWork)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    let items = request.items.iter().map(|item| (item.item_code.clone(), item.quantity)).collect();
    bad.build(|| Some((target?, QuoteWork { actor, items })))
}

pub(super) fn confirm_quote(request: &pb::ConfirmQuoteRequest, actor: Actor) -> Result<(Target, ConfirmQuote)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    bad.build(|| Some((target?, ConfirmQuote { actor, total_fen: request.total_fen, media: media(&request.media) })))
}

pub(super) fn approve_suspension(request: &pb::ApproveSuspensionRequest, actor: Actor) -> Result<(Target, ApproveSuspension)> {
    let mut bad = Violations::of(request);
    let target = target(&mut bad, &request.work_order_id, &request.etag);
    bad.build(|| Some((target?, ApproveSuspension { actor })))
}

pub(super) fn appointment(made: &Appointment, is_staff: bool) -> pb::Appointment {
    pb::Appointment {
        cycle: made.cycle,
        start_time: Some(to_timestamp(made.start)),
        end_time: Some(to_timestamp(made.end)),
        agree_time: Some(to_timestamp(made.at)),
        actor: is_staff.then(|| made.actor.wire()),
        apology_call: made.apology_call,
        told_in_time: made.told_in_time,
    }
}

pub(super) fn work_start(start: &WorkStart, is_staff: bool) -> pb::WorkStart {
    pb::WorkStart {
        cycle: start.cycle,
        start_time: Some(to_timestamp(start.at)),
        actor: is_staff.then(|| start.actor.wire()),
        checked: start.checked.clone(),
    }
}

pub(super) fn quote(quote: &Quote, is_staff: bool) -> pb::Quote {
    let lines = quote.lines.iter().map(|line| pb::QuoteLine {
        item_code: line.item.code.clone(),
        quantity: line.quantity,
        unit_price_fen: line.item.unit_price_fen,
        is_material: line.item.is_material,
    });
    pb::Quote {
        cycle: quote.cycle,
        lines: lines.collect(),
        total_fen: quote.total_fen(),
        quote_time: Some(to_timestamp(quote.at)),
        actor: is_staff.then(|| quote.actor.wire()),
        confirm_time: quote.confirmed.as_ref().map(|(at, _)| to_timestamp(*at)),
        confirmed_by: quote.confirmed.as_ref().filter(|_| is_staff).map(|(_, actor)| actor.wire()),
    }
}

pub(super) fn weather(weather: &Weather) -> pb::WeatherExtension {
    pb::WeatherExtension { mode_code: weather.code.clone(), factor: weather.factor.to_string() }
}
