//! Organisations that are ready, and ones that are broken, each in its own way.
//!
//! A directory under `preflight/` is a simulated organisation, an account, and what is found there:
//! everything where its name begins with `ready`, elsewhere what is amiss.
//! `UPDATE_EXPECTED=1` writes what is found.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop there"
)]

use genesys_sim::{Options, Org, Simulator};
use handoff_engine::account::{Account, SecretRef};
use handoff_engine::clock::SystemClock;
use handoff_engine::name::AccountName;
use handoff_genesys::preflight::{Grade, Preflight, Wants, preflight};
use handoff_genesys::{SecretError, Secrets, http_client};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Secrets that are their own names.
struct Plain;

impl Secrets for Plain {
    fn resolve(&self, secret: &SecretRef) -> Result<String, SecretError> {
        match secret {
            SecretRef::Named(value) => Ok(value.clone()),
            other => Err(SecretError::new(format!("{other:?} is not a test secret"))),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    queues: Vec<String>,
    webhook: Option<String>,
    account: Account,
}

fn cases() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/preflight");
    let entries = std::fs::read_dir(all).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn name(case: &Path) -> &str {
    case.file_name().unwrap().to_str().unwrap()
}

async fn look(directory: &Path) -> (Preflight, String) {
    let text = std::fs::read_to_string(directory.join("account.toml")).unwrap();
    let mut case: Case = toml::from_str(&text).unwrap();
    let org = Org::load(directory.join("org.toml")).unwrap();
    let simulator = Simulator::start(org, Options::default()).await.unwrap();
    let base_url = simulator.base_url();
    case.account.redirect_to(&base_url);
    let wants = Wants {
        queues: case.queues,
        webhook: case.webhook,
    };
    let found = preflight(
        &AccountName::new("acme"),
        &case.account,
        &wants,
        &Plain,
        Arc::new(SystemClock),
        http_client(),
    )
    .await;
    let left = simulator.control().conversations().len();
    assert_eq!(left, 0, "looking began a conversation");
    (found, base_url)
}

/// What is found, without what differs from run to run.
fn told(found: &Preflight, all: bool, base_url: &str) -> String {
    let lines = found
        .findings
        .iter()
        .filter(|it| all || it.grade > Grade::Hint);
    let text: String = lines.map(|it| format!("{it}\n")).collect();
    let mut plain = text.replace(base_url, "https://genesys.example");
    while let Some(start) = plain.find(" (correlation id ") {
        let length = plain[start..].find(')').unwrap();
        plain.replace_range(start..=start + length, "");
    }
    plain
}

#[tokio::test]
async fn every_broken_organisation_yields_its_own_message_and_a_good_one_none() {
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut messages: BTreeMap<String, String> = BTreeMap::new();
    for case in cases() {
        let ready = name(&case).starts_with("ready");
        let (found, base_url) = look(&case).await;
        let told = told(&found, ready, &base_url);
        if update {
            std::fs::write(case.join("expected.txt"), &told).unwrap();
        }
        let expected = std::fs::read_to_string(case.join("expected.txt")).unwrap();
        assert_eq!(told, expected, "{}", name(&case));
        let amiss = found.worst() > Grade::Hint;
        assert_eq!(amiss, !ready, "{}", name(&case));
        if let Some(other) = messages.insert(told, name(&case).to_owned()) {
            panic!("{} and {other} say the same", name(&case));
        }
    }
    assert!(messages.len() > 15, "{}", messages.len());
}
