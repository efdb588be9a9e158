//! Alerts: the rules of `k8s/observability` are well formed, do what their tests say, and each has its page for whoever is woken.
//!
//! `promtool` comes from Debian's package `prometheus`, of which only that program is unpacked under `target/`: installing the package
//! would start a server.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{relay, report::Verdict};
use crate::{Problem, Result, Workspace, say, servers::on_path, workspace::is_ci};

/// What an alert must say.
const WANTED: [&str; 5] = ["for:", "severity:", "summary:", "description:", "runbook_url:"];

/// Checks rules, their tests and their pages.
pub fn check(workspace: &Workspace) -> Result<Verdict> {
    let home = workspace.root().join("k8s/observability");
    let rules = read_all(&home.join("rules"))?;
    let tests = read_all(&home.join("tests"))?;
    let pages: BTreeSet<String> = read_all(&home.join("runbooks"))?.into_iter().map(|(name, _)| name.replace(".md", "")).collect();
    let faults = faults(&rules, &tests, &pages);
    if !faults.is_empty() {
        return Err(Problem::new(faults.join("\n  ")));
    }
    let promtool = match find_or_fetch(workspace) {
        Ok(promtool) => promtool,
        Err(problem) if is_ci() => return Err(problem),
        Err(problem) => return Ok(Verdict::Skipped(problem.to_string())),
    };
    let place = workspace.target().join("alerts");
    let (rules, tests) = render(&place, &rules, &tests)?;
    let run = |arguments: &[&str], files: &[String]| {
        let mut command = Command::new(&promtool);
        let status = relay::run(command.args(arguments).args(files).current_dir(&place), "promtool", relay::show)?;
        if status.success() { Ok(()) } else { Err(Problem::new(format!("promtool {} found something", arguments.join(" ")))) }
    };
    run(&["check", "rules"], &rules)?;
    run(&["test", "rules"], &tests)?;
    Ok(Verdict::Passed { count: u32::try_from(tests.len()).unwrap_or(u32::MAX) })
}

/// Names and texts of the files of a folder, in order.
fn read_all(dir: &Path) -> Result<Vec<(String, String)>> {
    let entries = fs::read_dir(dir).map_err(Problem::io(format_args!("reading {}", dir.display())))?;
    let mut files = Vec::new();
    for entry in entries.flatten() {
        let text = fs::read_to_string(entry.path()).map_err(Problem::io(format_args!("reading {}", entry.path().display())))?;
        files.push((entry.file_name().to_string_lossy().into_owned(), text));
    }
    files.sort();
    Ok(files)
}

/// What promtool does not look at: that each alert says what it must, has its page and its test, and no page is left over.
fn faults(rules: &[(String, String)], tests: &[(String, String)], pages: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut alerts = BTreeSet::new();
    for (file, text) in rules {
        for rule in text.split("- alert: ").skip(1) {
            let rule = rule.split("- record: ").next().unwrap_or_default();
            let name = rule.lines().next().unwrap_or_default().trim();
            alerts.insert(name.to_owned());
            faults.extend(WANTED.iter().filter(|word| !rule.contains(*word)).map(|word| format!("{file}: {name} has no `{word}`")));
            if !rule.contains(&format!("/runbooks/{name}.md")) {
                faults.push(format!("{file}: the runbook_url of {name} does not end in /runbooks/{name}.md"));
            }
        }
    }
    faults.extend(alerts.difference(pages).map(|name| format!("{name} has no page: k8s/observability/runbooks/{name}.md")));
    faults.extend(pages.difference(&alerts).map(|name| format!("runbooks/{name}.md is of no alert")));
    let is_tested = |name: &&String| tests.iter().any(|(_, text)| text.contains(&format!("/runbooks/{name}.md")));
    faults.extend(alerts.iter().filter(|name| !is_tested(name)).map(|name| format!("no test expects {name}")));
    faults
}

/// Writes what promtool reads: rules without the resource around them, tests beside them. Names of the files of either kind.
fn render(place: &Path, rules: &[(String, String)], tests: &[(String, String)]) -> Result<(Vec<String>, Vec<String>)> {
    // What was there may be of another branch.
    let _ = fs::remove_dir_all(place);
    fs::create_dir_all(place).map_err(Problem::io(format_args!("making {}", place.display())))?;
    let write = |name: &str, text: &str| fs::write(place.join(name), text).map_err(Problem::io(format_args!("writing {name}")));
    let (mut rule_files, mut test_files) = (Vec::new(), Vec::new());
    for (name, text) in rules {
        write(name, &spec_of(text))?;
        rule_files.push(name.clone());
    }
    let order = rules.iter().flat_map(|(_, text)| groups_of(text)).collect::<Vec<_>>().join(", ");
    for (name, text) in tests {
        let name = format!("test-{name}");
        // Told no order, promtool evaluates groups in any: one that reads what another records would find what was recorded a whole
        // interval ago, which is too old to count where the interval is long.
        write(&name, &format!("group_eval_order: [{order}]\n{text}"))?;
        test_files.push(name);
    }
    Ok((rule_files, test_files))
}

/// What stands below `spec:`, two columns to the left: a plain file of rules.
fn spec_of(resource: &str) -> String {
    let below = resource.lines().skip_while(|line| *line != "spec:").skip(1);
    below.map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect()
}

/// Names of the groups of a resource, in the order they are written.
fn groups_of(resource: &str) -> impl Iterator<Item = &str> {
    resource.lines().filter_map(|line| line.strip_prefix("    - name: "))
}

fn find_or_fetch(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(found) = on_path("promtool") {
        return Ok(found);
    }
    let home = workspace.tools().join("prometheus");
    let promtool = home.join("usr/bin/promtool");
    if promtool.is_file() {
        return Ok(promtool);
    }
    say::detail(format!("fetching promtool into {} (from this system's package `prometheus`, which is not installed)", home.display()));
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).map_err(Problem::io(format_args!("making {}", home.display())))?;
    if fetch(&home).is_err() {
        // No lists of packages yet, most likely.
        relay::run(Command::new("apt-get").args(["-q", "update"]), "apt-get update", relay::show)?;
        fetch(&home)?;
    }
    Ok(promtool)
}

fn fetch(home: &Path) -> Result<()> {
    let script = "apt-get -q download prometheus && dpkg-deb -x prometheus_*.deb . && rm -f prometheus_*.deb";
    let status = relay::run(Command::new("sh").args(["-c", script]).current_dir(home), "apt-get download", relay::show)?;
    if status.success() && home.join("usr/bin/promtool").is_file() {
        return Ok(());
    }
    Err(Problem::new("promtool was not found and could not be fetched").remedy("put promtool 2.42 or newer on the PATH"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "kind: PrometheusRule\nspec:\n  groups:\n    - name: g\n      rules:\n        - alert: A\n          expr: up == 0\n          \
        for: 1m\n          labels: {severity: critical}\n          annotations:\n            summary: s\n            description: d\n            \
        runbook_url: https://x/runbooks/A.md\n";

    fn file(text: &str) -> Vec<(String, String)> {
        vec![("f.yaml".to_owned(), text.to_owned())]
    }

    #[test]
    fn an_alert_says_what_it_must_and_has_its_page_and_its_test() {
        let tests = file("alertname: A\n runbook_url: https://x/runbooks/A.md");
        let pages = BTreeSet::from(["A".to_owned()]);
        assert!(faults(&file(RULES), &tests, &pages).is_empty());
        assert_eq!(faults(&file(RULES), &tests, &BTreeSet::new()).len(), 1, "no page");
        assert_eq!(faults(&file(RULES), &file(""), &pages).len(), 1, "no test");
        assert_eq!(faults(&file(&RULES.replace("summary: s", "")), &tests, &pages).len(), 1, "no summary");
        assert_eq!(faults(&file(&RULES.replace("A.md", "B.md")), &tests, &pages).len(), 1, "the page of another");
        assert_eq!(faults(&file(RULES), &tests, &BTreeSet::from(["A".to_owned(), "B".to_owned()])).len(), 1, "a page of no alert");
    }

    #[test]
    fn a_resource_becomes_a_file_of_rules() {
        assert!(spec_of(RULES).starts_with("groups:\n  - name: g\n"));
        assert_eq!(groups_of(RULES).collect::<Vec<_>>(), ["g"]);
    }
}
