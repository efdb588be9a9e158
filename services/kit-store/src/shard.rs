//! Which shard a subject belongs to. The answer is stored in rows, so it must never change.

use uuid::Uuid;

/// Shards of events and of timers. Order holds within a subject, a subject lies in one shard.
pub(crate) const SHARDS: u16 = 8;

/// FNV-1a over the id's bytes: spreads ids whose beginning is a time.
pub(crate) fn shard_of(subject: Uuid) -> u16 {
    let hash =
        subject.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    // Xor-folded: the low bits of FNV alone are the weakest.
    u16::try_from((hash ^ (hash >> 32)) % u64::from(SHARDS)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shard_of_a_subject_never_changes() {
        let subject = Uuid::from_u128(0x0199_aaaa_bbbb_7ccc_8ddd_eeee_ffff_0001);
        assert_eq!(shard_of(subject), 0, "rows already written carry this number");
        assert_eq!(shard_of(Uuid::nil()), 4);
    }

    #[test]
    fn subjects_spread_over_all_shards() {
        let mut seen = [0_u32; SHARDS as usize];
        (0..8000).for_each(|_| seen[usize::from(shard_of(Uuid::now_v7()))] += 1);
        assert!(seen.iter().all(|count| (700..1300).contains(count)), "{seen:?}");
    }
}
