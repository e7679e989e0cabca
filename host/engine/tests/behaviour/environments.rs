//! Environments: the last one only chooses among accounts that an earlier one has.

use crate::support::{Sample, told};
use serde_json::json;

fn site(name: &str) -> String {
    format!(
        "[accounts.{name}]\ntransport = 'engage-chat-v2'\nurl = 'https://{name}.example.org'\n\
         service = 'support'\n"
    )
}

/// A bot that hands over to the account `site`, which needs a name.
fn sample(environments: &str) -> Sample {
    let nodes = json!({
        "set": {
            "type": "setContext",
            "config": {"values": {"nickname": "ana", "firstName": "Ana", "lastName": "Lima"}},
            "to": {"next": "agent"},
        },
        "agent": {"type": "redirect", "config": {"account": "site"}, "to": {"error": "sorry"}},
        "sorry": {"type": "ask", "config": {"text": "{{ error.code }}"}},
    });
    Sample::main("set", nodes).top(&format!("environments = {environments}"))
}

async fn goes_to(sample: Sample) -> Vec<String> {
    told(&sample.talk().await.start().await)
}

async fn codes(sample: Sample) -> Vec<String> {
    let found = sample.try_load().await.expect_err("refused");
    let lines = found.iter().map(|it| format!("{} {}", it.place, it.code));
    lines.collect()
}

#[tokio::test]
async fn an_account_takes_another_ones_place_in_live_and_flows_stay_as_they_are() {
    let sample = || {
        sample("['development', 'live']")
            .overlay("development", &site("eu"))
            .overlay("live", "[accounts]\nsite = 'eu'\n")
    };
    assert_eq!(goes_to(sample()).await, ["open any agent at site"]);
    let live = || sample().in_environment("live");
    assert_eq!(goes_to(live()).await, ["open any agent at eu"]);
    let live = live().load().await;
    let names: Vec<&str> = live.accounts().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["cloud", "eu"],
        "nobody needs the secrets of the other one"
    );
    let first = sample().load().await;
    assert_ne!(live.digest(), first.digest(), "they are two versions");
}

#[tokio::test]
async fn production_has_the_accounts_of_staging_and_not_those_of_the_sandbox() {
    let sample = |maps: &str| {
        sample("['sandbox', 'staging', 'production']")
            .overlay("sandbox", &site("toy"))
            .overlay("staging", &site("eu"))
            .overlay("production", &format!("[accounts]\nsite = '{maps}'\n"))
    };
    let production = sample("eu").in_environment("production");
    assert_eq!(goes_to(production).await, ["open any agent at eu"]);
    assert_eq!(
        codes(sample("toy").in_environment("production")).await,
        ["project.production.toml:2:8 project.unknown_account"]
    );
}

#[tokio::test]
async fn live_neither_adds_nor_edits_an_account_and_that_is_seen_in_development() {
    for name in ["eu", "site"] {
        let sample = sample("['development', 'live']").overlay("live", &site(name));
        assert_eq!(
            codes(sample).await,
            ["project.live.toml:1:11 environment.read_only"]
        );
    }
}

#[tokio::test]
async fn live_chooses_its_default_account_and_its_channels() {
    let sample = sample("['development', 'live']").overlay(
        "live",
        "default-account = 'site'\n[channels]\nweb = 'site'\n",
    );
    let live = sample.in_environment("live").load().await;
    assert_eq!(live.default_account(), Some(&"site".into()));
}

#[tokio::test]
async fn what_is_wrong_with_environments_is_told_with_its_place() {
    let two = || sample("['development', 'live']");
    let cases = [
        (
            two().in_environment("love"),
            "project.toml:4:1 environment.unknown",
        ),
        (
            two().overlay("prod", ""),
            "project.prod.toml environment.unknown",
        ),
        (sample("['live']"), "project.toml:4:16 environment.alone"),
        (
            sample("['dev', 'dev']"),
            "project.toml:4:24 environment.twice",
        ),
        (
            sample("['dev', 'Live']"),
            "project.toml:4:24 environment.bad_name",
        ),
        (
            two().overlay("live", "start = 'x'\n"),
            "project.live.toml:1:1 environment.bad",
        ),
        (
            two().overlay("development", "start = 'x'\n"),
            "project.development.toml:1:1 environment.bad",
        ),
        (
            two()
                .overlay("live", "[accounts]\nsite = 'cloud'\ncloud = 'site'\n")
                .in_environment("live"),
            "project.live.toml:2:8 environment.mapped_on",
        ),
    ];
    for (sample, expected) in cases {
        let found = codes(sample).await;
        assert!(
            found.contains(&expected.to_owned()),
            "{expected}: {found:?}"
        );
    }
}
