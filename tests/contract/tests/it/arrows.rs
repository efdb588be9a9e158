//! Dependencies point one way (DESIGN §2).

use std::process::Command;

use serde_json::Value;

/// What each crate of ours may depend on, besides the outside world.
fn allowed(name: &str) -> &'static [&'static str] {
    match name {
        "steward-proto" => &[],
        "steward-kit" => &["steward-proto"],
        "steward-kit-store" => &["steward-kit", "steward-proto"],
        "steward-gateway" => &["steward-kit", "steward-proto"],
        "steward-customer" | "steward-work-order" | "steward-notification" | "steward-survey" | "steward-care" => {
            &["steward-kit-store", "steward-kit", "steward-proto"]
        }
        // The launcher builds on a bare machine, so it depends on nothing of ours.
        "steward-dev" => &[],
        other => panic!("{other} is new: say here what it may depend on"),
    }
}

#[test]
fn no_crate_depends_against_the_arrows() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() >= 8, "the walk found only {} crates", packages.len());
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        // Tests may look at anything.
        if ["steward-harness", "steward-contract", "steward-e2e", "steward-faults", "steward-bench"].contains(&name) {
            continue;
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"] == "dev";
            if to.starts_with("steward-") && !for_tests && !allowed(name).contains(&to) {
                wrong.push(format!("{name} -> {to}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
