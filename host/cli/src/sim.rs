//! `handoff sim`: the Genesys simulator as a process.

use crate::paint::{BOLD, DIM};
use crate::sim_agent;
use genesys_sim::{Options, Org, Simulator};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The organisation file.
    #[arg(required = true)]
    org: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Be an agent in a simulator that runs.
    Agent(sim_agent::Arguments),
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    if let Some(Command::Agent(arguments)) = arguments.command {
        return sim_agent::run(arguments).await;
    }
    let org = Org::load(arguments.org.unwrap_or_default())?;
    let options = Options {
        listen: arguments.listen,
        ..Options::default()
    };
    let simulator = Simulator::start(org, options).await?;
    let url = simulator.base_url();
    out!("{BOLD}Genesys simulator{BOLD:#} on {url}");
    out!("  Engage chat          {url}/genesys/2/chat/<service>");
    out!("  Platform API         {url}/api/v2, OAuth at {url}/oauth/token");
    out!("  WebChat guests       {url}/api/v2/webchat/guest");
    out!(
        "  Web Messaging guests {}/v1",
        url.replacen("http", "ws", 1)
    );
    out!("  control              {url}/sim");
    out!("  agents' desks        {url}/desk");
    for desk in simulator.control().desks() {
        out!(
            "  {DIM}be {}:{DIM:#} handoff sim agent {} --url {url}",
            desk.name,
            desk.agent
        );
    }
    out!("{DIM}Ctrl-C stops it.{DIM:#}");
    tokio::signal::ctrl_c().await?;
    simulator.stop().await;
    Ok(ExitCode::SUCCESS)
}
