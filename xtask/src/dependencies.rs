//! What may stand under this project: licences, bans and sources of dependencies, as `deny.toml` has them.
//!
//! They are checked always, from what cargo knows. Advisories need a database that is fetched: `cargo deny` does that
//! where it is installed, and where it is not, or has no network, that is said so that nobody overlooks it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;
use spdx::{Expression, LicenseReq};

use crate::workspace::{Workspace, cargo};

/// The parts of `deny.toml` that are checked here.
#[derive(Debug, Deserialize)]
struct Policy {
    graph: Graph,
    licenses: Licences,
    bans: Bans,
}

#[derive(Debug, Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
}

/// What `cargo metadata` tells of all packages.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    license_file: Option<String>,
    /// None for members of the workspace.
    source: Option<String>,
}

/// Where every dependency comes from.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let policy = fs::read_to_string(workspace.workspace_root.join("deny.toml"))?;
    let policy: Policy = toml::from_str(&policy).context("deny.toml")?;
    let wrong = violations(&policy, &metadata(workspace, &policy)?)?;
    ensure!(
        wrong.is_empty(),
        "deny.toml does not allow these dependencies:\n{}",
        wrong.join("\n")
    );
    advisories(workspace)
}

fn metadata(workspace: &Workspace, policy: &Policy) -> anyhow::Result<Metadata> {
    let mut asked = cargo();
    asked.current_dir(&workspace.workspace_root).args([
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--all-features",
    ]);
    for target in &policy.graph.targets {
        asked.args(["--filter-platform", target]);
    }
    let output = asked.output().context("cargo can't be started")?;
    ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).context("cargo metadata is not as expected")
}

/// What of the dependencies the policy does not allow, a line each.
fn violations(policy: &Policy, metadata: &Metadata) -> anyhow::Result<Vec<String>> {
    let mut allowed = BTreeSet::new();
    for text in &policy.licenses.allow {
        let expression = Expression::parse(text).with_context(|| format!("deny.toml: {text}"))?;
        allowed.extend(expression.requirements().map(|it| it.req.to_string()));
    }
    let allows = |wanted: &LicenseReq| allowed.contains(&wanted.to_string());
    let mut wrong = Vec::new();
    for package in metadata.packages.iter().filter(|it| it.source.is_some()) {
        let Package { name, version, .. } = package;
        if policy.bans.deny.iter().any(|ban| ban.name == *name) {
            wrong.push(format!("  {name} {version} is banned"));
        }
        if package.source.as_deref() != Some(CRATES_IO) {
            wrong.push(format!(
                "  {name} {version} does not come from crates.io but from {}",
                package.source.as_deref().unwrap_or_default()
            ));
        }
        let Some(license) = &package.license else {
            let instead = package.license_file.as_deref().unwrap_or("nothing");
            wrong.push(format!("  {name} {version} names no licence but {instead}"));
            continue;
        };
        // Old packages write a slash where SPDX has OR.
        let license = license.replace('/', " OR ");
        match Expression::parse(&license) {
            Ok(expression) if expression.evaluate(allows) => {}
            Ok(_) => wrong.push(format!("  {name} {version} is under {license}")),
            Err(_) => wrong.push(format!("  {name} {version} has no SPDX licence: {license}")),
        }
    }
    Ok(wrong)
}

/// Asks the advisory database, or says loudly that nobody did.
fn advisories(workspace: &Workspace) -> anyhow::Result<()> {
    let installed = Command::new("cargo-deny")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !installed {
        not_checked("cargo-deny is not installed; 'cargo install cargo-deny --locked' brings it");
        return Ok(());
    }
    let run = |arguments: &[&str]| {
        cargo()
            .current_dir(&workspace.workspace_root)
            .args(["deny"])
            .args(arguments)
            .status()
            .context("cargo deny can't be started")
    };
    if !run(&["fetch", "db"])?.success() {
        not_checked("the advisory database can't be fetched");
        return Ok(());
    }
    ensure!(
        run(&["check", "advisories", "bans", "licenses", "sources"])?.success(),
        "cargo deny found something; it said what"
    );
    Ok(())
}

fn not_checked(why: &str) {
    eprintln!(
        "\n    ########################################################\n    \
         ## ADVISORIES WERE NOT CHECKED: known vulnerabilities in\n    \
         ## dependencies would not be noticed by this run.\n    \
         ## {why}\n    \
         ########################################################"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        toml::from_str(include_str!("../../deny.toml")).expect("is a policy")
    }

    fn found(name: &str, license: &str, source: &str) -> Vec<String> {
        let package = Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: Some(license.to_owned()),
            license_file: None,
            source: Some(source.to_owned()),
        };
        let packages = vec![package];
        violations(&policy(), &Metadata { packages }).expect("is checked")
    }

    #[test]
    fn what_this_project_stands_on_is_allowed() {
        let workspace = Workspace::load().expect("cargo answers");
        let metadata = metadata(&workspace, &policy()).expect("cargo answers");
        assert_eq!(
            violations(&policy(), &metadata).expect("is checked"),
            [""; 0]
        );
    }

    #[test]
    fn a_dependency_is_allowed_by_licence_name_and_source() {
        for license in [
            "MIT",
            "MIT/Apache-2.0",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
        ] {
            assert_eq!(found("serde", license, CRATES_IO), [""; 0], "{license}");
        }
        for (name, license, source) in [
            ("readline", "GPL-3.0-only", CRATES_IO),
            ("odd", "as you like", CRATES_IO),
            ("both", "MIT AND GPL-3.0-only", CRATES_IO),
            ("openssl", "Apache-2.0", CRATES_IO),
            ("serde", "MIT", "git+https://example.org/serde"),
        ] {
            assert_eq!(found(name, license, source).len(), 1, "{name}");
        }
    }
}
