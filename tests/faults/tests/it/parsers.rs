//! A moment of fuzzing for every parser in every run; as long as one likes by `cargo dev faults --fuzz SECONDS`.

use std::time::Duration;

use steward_faults::fuzz::{all, fuzz};

/// For each parser.
const A_MOMENT: Duration = Duration::from_millis(1_000);

#[test]
fn parsers_answer_whatever_stands_in_the_bytes() {
    let seed = u64::from(std::process::id());
    for target in all().unwrap() {
        let fuzzed = fuzz(&target, seed, A_MOMENT);
        if let Some((input, why)) = fuzzed.broken {
            panic!("{}: {why} at {:?}, seed {seed}", target.name, String::from_utf8_lossy(&input));
        }
        assert!(fuzzed.inputs > 20, "{}: only {} inputs", target.name, fuzzed.inputs);
    }
}
