//! Rules and dashboards ask for metrics that the suite exposes: every name in `k8s/observability` is looked for on the metrics page.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result};

/// Metrics of others: CloudNativePG and its Barman plugin, kube-state-metrics, the kubelet, cert-manager.
const OF_OTHERS: [&str; 8] = [
    "cnpg_collector_up",
    "cnpg_pg_replication_lag",
    "cnpg_pg_stat_archiver_failed_count",
    "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
    "kube_pod_container_status_restarts_total",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "certmanager_certificate_expiration_timestamp_seconds",
];

/// What is asked for and is nowhere.
pub(crate) fn unknown_metrics(root: &Path, page: &str) -> Result<Vec<String>> {
    let home = root.join("k8s/observability");
    let (mut asked, mut recorded) = (BTreeSet::new(), BTreeSet::new());
    for folder in ["rules", "dashboards", "runbooks", "tests"] {
        for file in fs::read_dir(home.join(folder)).with_context(|| format!("reading {folder}"))?.flatten() {
            let text = fs::read_to_string(file.path())?;
            if folder == "dashboards" {
                serde_json::from_str::<serde_json::Value>(&text).with_context(|| format!("{}", file.path().display()))?;
            }
            recorded.extend(text.lines().filter_map(|line| Some(line.trim().strip_prefix("- record: ")?.to_owned())));
            asked.extend(names_in(&text));
        }
    }
    let exposed: BTreeSet<&str> = page.lines().filter(|line| !line.starts_with('#')).map(|line| word_at(line, 0)).collect();
    let is_known = |name: &String| match name.split_once(".+") {
        // `{__name__=~"steward_.+_waiting"}`
        Some((start, end)) => exposed.iter().any(|known| known.starts_with(start) && known.ends_with(end)),
        None => exposed.contains(name.as_str()) || recorded.contains(name) || OF_OTHERS.contains(&name.as_str()),
    };
    Ok(asked.into_iter().filter(|name| !is_known(name)).collect())
}

/// Everything in a text that is the name of a metric, or a pattern of such names.
fn names_in(text: &str) -> BTreeSet<String> {
    let starts = ["steward_", "job:steward_", "cnpg_", "barman_", "kube_", "kubelet_", "certmanager_"];
    let mut names = BTreeSet::new();
    let mut at = 0;
    while at < text.len() {
        let word = word_at(text, at);
        let is_metric = starts.iter().any(|start| word.starts_with(start));
        if is_metric {
            names.insert(word.to_owned());
        }
        at += word.len().max(text[at..].chars().next().map_or(1, char::len_utf8));
    }
    names
}

fn word_at(text: &str, at: usize) -> &str {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':');
    let rest = &text[at..];
    let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
    // A pattern goes on behind its `.+`.
    match rest[end..].strip_prefix(".+_") {
        Some(more) if end > 0 => {
            let tail = more.find(|letter| !is_part(letter)).unwrap_or(more.len());
            &rest[..end + 3 + tail]
        }
        _ => &rest[..end],
    }
}

#[test]
fn a_metric_that_nobody_exposes_is_found() {
    let names = names_in(
        "rate({__name__=~\"steward_.+_timers_fired_total\", job=~\"care\"}[5m]) > steward_rpc_seconds{code=\"OK\"} + job:steward_rpc_errors:ratio_rate5m",
    );
    let expected = ["job:steward_rpc_errors:ratio_rate5m", "steward_.+_timers_fired_total", "steward_rpc_seconds"];
    assert_eq!(names, expected.map(str::to_owned).into());
    let root = steward_harness::stack::Files::open().unwrap().workspace().root().to_path_buf();
    // An empty page: everything of ours is unknown, what others expose and what is recorded is not.
    let unknown = unknown_metrics(&root, "").unwrap();
    assert!(unknown.contains(&"steward_rpc_duration_seconds_count".to_owned()) && unknown.contains(&"steward_.+_waiting".to_owned()));
    assert!(unknown.iter().all(|name| name.starts_with("steward_")), "{unknown:?}");
}
