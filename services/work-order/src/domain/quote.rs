//! The customer is told what the work costs, and agrees, before it begins (WO-49).

use jiff::Timestamp;

use super::actor::{Actor, ActorKind};
use super::context::Context;
use super::draft::Draft;
use super::field_work::{Quote, QuoteLine};
use super::history::Action;
use super::proof::{MediaKind, MediaRef};
use super::refusal::{Place, Refusal};
use super::state::Verb;
use super::transition::{Fact, Transition};
use super::work_order::WorkOrder;

/// A quote.
#[derive(Clone, Debug)]
pub struct QuoteWork {
    /// Who tells it.
    pub actor: Actor,
    /// Codes of the price list, and how many of each.
    pub items: Vec<(String, u32)>,
}

/// Quotes by the price list that the order was born under. It takes the place of the quote before.
///
/// # Errors
/// `StateForbids`, `PriceItemUnknown`.
pub fn quote_work(order: &WorkOrder, cmd: &QuoteWork, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::QuoteWork)?;
    let mut lines = Vec::with_capacity(cmd.items.len());
    for (index, (code, quantity)) in cmd.items.iter().enumerate() {
        let item = order.terms.prices.iter().find(|item| item.code == *code);
        let item = item.cloned().ok_or(Refusal::PriceItemUnknown { index })?;
        lines.push(QuoteLine { item, quantity: *quantity });
    }
    let quote = Quote { cycle: order.cycle, lines, at: now, actor: cmd.actor.clone(), confirmed: None };
    let total_fen = quote.total_fen();
    draft.order.field.quotes.push(quote);
    draft.tell(now, Fact::QuoteGiven { total_fen });
    draft.note(Action::QuoteWork, now, [("total_fen", total_fen.to_string())]);
    Ok(draft.finish())
}

/// The customer's word on the last quote.
#[derive(Clone, Debug)]
pub struct ConfirmQuote {
    /// The customer, or who holds their signature.
    pub actor: Actor,
    /// The sum that is agreed to, in fen.
    pub total_fen: i64,
    /// Signature or recording.
    pub media: Vec<MediaRef>,
}

/// Confirms the last quote of the cycle. A sum that is not the quoted one confirms nothing.
///
/// # Errors
/// `StateForbids`, `QuoteUnconfirmed`, `ConfirmationUnproven`.
pub fn confirm_quote(order: &WorkOrder, cmd: &ConfirmQuote, ctx: &Context<'_>, now: Timestamp) -> Result<Transition, Refusal> {
    let mut draft = Draft::of(order, &cmd.actor, ctx, now);
    draft.permit(Verb::ConfirmQuote)?;
    let proves = |media: &MediaRef| matches!(media.kind, Some(MediaKind::Signature | MediaKind::Recording));
    if cmd.actor.kind != ActorKind::Customer && !cmd.media.iter().any(proves) {
        return Err(Refusal::ConfirmationUnproven);
    }
    let cycle = order.cycle;
    let last = draft.order.field.quotes.iter_mut().rfind(|quote| quote.cycle == cycle);
    let quoted = last.filter(|quote| quote.confirmed.is_none() && quote.total_fen() == cmd.total_fen);
    let Some(quote) = quoted else { return Err(Refusal::QuoteUnconfirmed { place: Place::of(order) }) };
    quote.confirmed = Some((now, cmd.actor.clone()));
    // What proves it stays with the order's files, as what came with the report does.
    draft.order.media.extend(cmd.media.iter().cloned());
    draft.tell(now, Fact::QuoteConfirmed { total_fen: cmd.total_fen });
    draft.note(Action::ConfirmQuote, now, [("total_fen", cmd.total_fen.to_string())]);
    Ok(draft.finish())
}
