//! A wave's design out of a request. Faults that a predicate has are found by the customer service, when the frame is made.

use prost::Message;
use steward_kit::error::Violations;
use steward_proto::survey::v1 as pb;

use crate::contract::{Code, required};
use crate::domain::codes::{Allocation, Mode};
use crate::domain::{Design, Encoded, Exclusion, Oversampling, Quota, Sampling, Subject};

pub(super) fn design(bad: &mut Violations, wire: &pb::WaveDesign) -> Option<Design> {
    let modes: Vec<Option<Mode>> =
        wire.modes.iter().enumerate().map(|(at, mode)| required(bad, &format!("design.modes[{at}]"), *mode)).collect();
    let wanted = bad.required("design.sampling", wire.sampling.as_ref())?;
    let method = required(bad, "design.sampling.method", wanted.method);
    let pair_wave_id = bad.optional_id("design.pair_wave_id", &wire.pair_wave_id);
    let close_due_time = bad.optional_timestamp("design.close_due_time", wire.close_due_time.as_ref());
    let sampling = Sampling {
        method: method?,
        seed: wanted.seed,
        size: wanted.size,
        strata_fields: wanted.strata_fields.clone(),
        allocation: Allocation::of_number(wanted.allocation).unwrap_or(Allocation::Proportional),
        quotas: wanted.quotas.iter().map(|quota| Quota { stratum: quota.stratum.clone(), target: quota.target }).collect(),
        oversampling: wanted
            .oversampling
            .iter()
            .map(|over| Oversampling { stratum: over.stratum.clone(), factor: over.factor_thousandths })
            .collect(),
    };
    let exclusion = |out: &pb::EligibilityExclusion| {
        Some(Exclusion { code: out.code.clone(), predicate: Encoded(out.predicate.as_ref()?.encode_to_vec()) })
    };
    Some(Design {
        is_anonymous: wire.is_anonymous,
        modes: modes.into_iter().collect::<Option<_>>()?,
        sampling,
        eligibility: wire.eligibility.as_ref().map(|predicate| Encoded(predicate.encode_to_vec())),
        exclusions: wire.exclusions.iter().filter_map(exclusion).collect(),
        min_valid: wire.min_valid_count,
        subject: wire.subject.as_ref().map(|about| Subject { kind: about.kind.clone(), code: about.code.clone() }),
        pair_wave_id,
        ignores_contact_limits: wire.ignores_contact_limits,
        close_due_time,
    })
}
