//! The `handoff` command: one file per subcommand.
//!
//! Exit codes: 0 all well, 1 something failed (a scenario, a check), 2 the call was wrong.

#[macro_use]
mod output;

mod chat;
mod check;
mod demo;
mod diagnostics;
mod engine;
mod import;
mod node;
mod paint;
mod preflight;
mod provision;
mod remote;
mod schema;
mod secrets;
mod serve;
mod sim;
mod sim_agent;
mod simulated;
mod store;
mod telemetry;
mod test;
mod timeline;
mod worker;

use clap::{Parser, Subcommand};
use handoff_engine::display;
use std::process::ExitCode;
use telemetry::Telemetry;

/// Chatbot flows that hand a conversation to a human agent on Genesys, and take it back.
#[derive(Debug, Parser)]
#[command(name = "handoff", version)]
struct Arguments {
    #[command(flatten)]
    telemetry: telemetry::TelemetryArguments,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch customers being handed to an agent and coming back, played against the simulator.
    Demo(demo::Arguments),
    /// Play scenarios and say which hold.
    Test(test::Arguments),
    /// Tell what happened in a session, from its journal.
    Timeline(timeline::Arguments),
    /// Copy the sessions of a host, running or not, into a file.
    Backup(store::BackupArguments),
    /// Check or compact the file in which a host keeps its sessions.
    Store(store::Arguments),
    /// Say what is wrong with a project, all at once.
    Check(check::Arguments),
    /// Make a project of what a ServisBOT, Kore.ai or Dydu integration was configured with.
    Import(import::Arguments),
    /// Create at Genesys the integrations that a project's accounts need, and keep them so.
    Provision(provision::Arguments),
    /// Talk to a project's bot in this terminal, with a simulated contact centre behind it.
    Chat(chat::Arguments),
    /// Serve a project's bots to users' channels and to Genesys.
    Serve(Box<serve::Arguments>),
    /// Run the Genesys simulator, or be an agent in one.
    Sim(sim::Arguments),
    /// Look at node components.
    Node(node::Arguments),
    /// Print the JSON Schemas of a project's files, for editors.
    Schema(schema::Arguments),
    /// Make ServisBOT worker bots.
    Worker(worker::Arguments),
}

impl Command {
    /// What is logged if HANDOFF_LOG does not say it. Whoever runs a server wants to know what somebody should
    /// look at; every other command says itself what went wrong.
    fn log(&self) -> &'static str {
        match self {
            Self::Serve(_) | Self::Node(_) => "warn",
            _ => "error",
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            err!("error: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let telemetry = match Telemetry::start(
        &arguments.telemetry,
        arguments.command.log(),
        runtime.handle(),
    ) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            tell(&error);
            return ExitCode::from(2);
        }
    };
    let result = runtime.block_on(async {
        match arguments.command {
            Command::Demo(arguments) => demo::run(arguments).await,
            Command::Test(arguments) => test::run(arguments).await,
            Command::Timeline(arguments) => timeline::run(arguments).await,
            Command::Backup(arguments) => store::backup(arguments).await,
            Command::Store(arguments) => store::run(arguments).await,
            Command::Check(arguments) => check::run(arguments).await,
            Command::Import(arguments) => import::run(arguments).await,
            Command::Provision(arguments) => provision::run(arguments).await,
            Command::Chat(arguments) => chat::run(arguments).await,
            Command::Serve(arguments) => serve::run(*arguments).await,
            Command::Sim(arguments) => sim::run(arguments).await,
            Command::Node(arguments) => node::run(arguments).await,
            Command::Schema(arguments) => schema::run(&arguments),
            Command::Worker(arguments) => worker::run(&arguments),
        }
    });
    if let Err(error) = telemetry.finish() {
        tell(&error);
    }
    // Reading standard input cannot be interrupted; do not wait for it.
    runtime.shutdown_background();
    match result {
        Ok(code) => output::arrived(code),
        Err(error) => {
            tell(&error);
            ExitCode::FAILURE
        }
    }
}

fn tell(error: &anyhow::Error) {
    let red = paint::RED;
    let text = in_full(error);
    err!("{red}error{red:#}: {}", display::indented(&text, "  "));
}

/// An error with its causes, those left out that it tells of itself.
fn in_full(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
