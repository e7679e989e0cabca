//! `handoff sim agent`: being an agent, in a terminal.

use crate::paint::{BOLD, DIM, GREEN, RED, YELLOW};
use anyhow::{Context, bail};
use handoff_engine::display;
use serde_json::{Value, json};
use std::process::ExitCode;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The agent's id in the organisation file.
    agent: String,
    /// Where the simulator is.
    #[arg(long, default_value = "http://127.0.0.1:7070")]
    url: String,
}

const HELP: &str =
    "/accept  /decline  /close  /queue NAME  /agent ID  /done (after-call work)  /on  /off  /quit
Anything else is said to the customer.";

/// An agent at a desk.
struct Desk {
    http: reqwest::Client,
    url: String,
    agent: String,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let desk = Desk {
        http: handoff_genesys::http_client(),
        url: arguments.url.trim_end_matches('/').to_owned(),
        agent: arguments.agent,
    };
    // Following first: what happens between the two calls is not missed.
    let mut events = desk.follow().await?;
    desk.show().await?;
    out!("{DIM}{HELP}{DIM:#}");
    let mut typed = BufReader::new(tokio::io::stdin()).lines();
    let mut pending = String::new();
    loop {
        tokio::select! {
            chunk = events.chunk() => {
                let Some(chunk) = chunk? else {
                    out!("{YELLOW}The simulator has stopped.{YELLOW:#}");
                    return Ok(ExitCode::SUCCESS);
                };
                pending.push_str(&String::from_utf8_lossy(&chunk));
                while let Some(end) = pending.find("\n\n") {
                    let event: String = pending.drain(..end + 2).collect();
                    desk.happened(&event).await?;
                }
            }
            line = next(&mut typed) => {
                let Some(line) = line? else { return Ok(ExitCode::SUCCESS) };
                if line.trim() == "/quit" {
                    return Ok(ExitCode::SUCCESS);
                }
                desk.typed(line.trim()).await?;
            }
        }
    }
}

async fn next(lines: &mut Lines<BufReader<Stdin>>) -> std::io::Result<Option<String>> {
    lines.next_line().await
}

impl Desk {
    async fn follow(&self) -> anyhow::Result<reqwest::Response> {
        let url = format!("{}/sim/events", self.url);
        // Without the client's own time limit: this goes on for as long as the desk is open.
        let response = self
            .http
            .get(&url)
            .timeout(std::time::Duration::from_secs(24 * 3600))
            .send()
            .await
            .with_context(|| {
                format!(
                    "no simulator at {}; start one with 'handoff sim ORG'",
                    self.url
                )
            })?;
        Ok(response.error_for_status()?)
    }

    /// What lies on the desk.
    async fn show(&self) -> anyhow::Result<()> {
        let url = format!("{}/sim/agents/{}", self.url, self.agent);
        let response = self.http.get(&url).send().await?;
        let status = response.status();
        let desk: Value = response.json().await?;
        if !status.is_success() {
            bail!(
                "{}",
                desk["message"].as_str().unwrap_or("the simulator refused")
            );
        }
        out!(
            "{BOLD}{}{BOLD:#}, {}",
            text(&desk["name"]),
            text(&desk["status"])
        );
        for (list, word) in [("alerting", "rings"), ("connected", "connected")] {
            for item in desk[list].as_array().into_iter().flatten() {
                self.show_conversation(item, word);
            }
        }
        Ok(())
    }

    fn show_conversation(&self, item: &Value, word: &str) {
        out!(
            "{YELLOW}{word}{YELLOW:#}: {} {DIM}{}{DIM:#}",
            display::line(item["customer"].as_str().unwrap_or("a customer")),
            text(&item["queue"])
        );
        for (key, value) in item["attributes"].as_object().into_iter().flatten() {
            out!("  {DIM}{} = {}{DIM:#}", display::line(key), text(value));
        }
        for line in item["lines"].as_array().into_iter().flatten() {
            out!("  {}: {}", text(&line["name"]), text(&line["text"]));
        }
    }

    /// Something happened at some desk.
    async fn happened(&self, event: &str) -> anyhow::Result<()> {
        let Some(data) = event.lines().find_map(|line| line.strip_prefix("data:")) else {
            return Ok(());
        };
        let event: Value = serde_json::from_str(data.trim()).context("the simulator's event")?;
        if event["agent"] != self.agent.as_str() {
            return Ok(());
        }
        match event["event"].as_str().unwrap_or_default() {
            "alerting" => {
                out!("{YELLOW}A conversation rings. /accept or /decline{YELLOW:#}");
            }
            "withdrawn" => out!("{DIM}It rings no more.{DIM:#}"),
            "connected" => self.show().await?,
            "customer-message" => out!("{GREEN}customer{GREEN:#}  {}", text(&event["text"])),
            "customer-typing" if event["on"] == true => {
                out!("{DIM}the customer is typing{DIM:#}");
            }
            "customer-left" => out!("{DIM}The customer has left.{DIM:#}"),
            "ended" => out!("{DIM}The conversation is over. /done ends after-call work.{DIM:#}"),
            _ => {}
        }
        Ok(())
    }

    /// The agent typed a line.
    async fn typed(&self, line: &str) -> anyhow::Result<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let order = match (word, rest.trim()) {
            ("", _) => return Ok(()),
            ("/accept", _) => json!({"action": "accept"}),
            ("/decline", _) => json!({"action": "decline"}),
            ("/close", _) => json!({"action": "close"}),
            ("/done", _) => json!({"action": "finish-after-call-work"}),
            ("/on", _) => json!({"action": "on-queue", "value": true}),
            ("/off", _) => json!({"action": "on-queue", "value": false}),
            ("/queue" | "/agent", "") => {
                out!("{RED}whom?{RED:#} {word} NAME");
                return Ok(());
            }
            ("/queue", name) => json!({"action": "transfer-to-queue", "value": name}),
            ("/agent", id) => json!({"action": "transfer-to-agent", "value": id}),
            ("/help", _) => {
                out!("{HELP}");
                return Ok(());
            }
            _ => json!({"action": "say", "value": line}),
        };
        let url = format!("{}/sim/agents/{}", self.url, self.agent);
        let response = self.http.post(&url).json(&order).send().await?;
        if !response.status().is_success() {
            let refused: Value = response.json().await.unwrap_or_default();
            out!(
                "{RED}{}{RED:#}",
                refused["message"]
                    .as_str()
                    .unwrap_or("the simulator refused")
            );
        }
        Ok(())
    }
}

/// A text that others wrote, fit for a line.
fn text(value: &Value) -> std::borrow::Cow<'_, str> {
    display::line(value.as_str().unwrap_or_default())
}
