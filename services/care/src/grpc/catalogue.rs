//! The catalogue of actions as its message.

use prost::Message;
use steward_proto::care::v1 as pb;

use crate::app::Catalogue;
use crate::domain::catalogue::count;
use crate::domain::programme::Programme;

/// The answer of `GetCareCatalogue`.
pub(super) fn encode(catalogue: &Catalogue) -> pb::GetCareCatalogueResponse {
    let counts = count(&catalogue.programmes);
    let (baseline_count, target_count) = catalogue.goal;
    pb::GetCareCatalogueResponse {
        actions: catalogue.programmes.iter().flat_map(actions).collect(),
        baseline_count,
        target_count,
        layer_counts: counts.layers,
        node_counts: counts.nodes,
        drive_tag_counts: counts.tags,
    }
}

/// The actions of a programme, as they were written.
fn actions(programme: &Programme) -> Vec<pb::CatalogueAction> {
    let written = pb::ProgrammeDocument::decode(programme.encoded.as_slice()).unwrap_or_default();
    let action = |one: pb::TouchpointDefinition| pb::CatalogueAction {
        programme_id: programme.id.to_string(),
        programme_code: programme.code.clone(),
        programme_version: programme.version,
        definition_code: one.code,
        layer: one.layer,
        node: one.node,
        drive_tags: one.drive_tags,
        trigger: one.anchor,
        action: one.action,
        cost_cents: one.cost_cents,
    };
    written.touchpoints.into_iter().map(action).collect()
}
