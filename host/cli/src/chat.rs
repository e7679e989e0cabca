//! `handoff chat`: talking to a project's bot in this terminal.

use crate::diagnostics::show_all;
use crate::engine::NodesArguments;
use crate::paint::{BOLD, DIM, RED, YELLOW};
use anyhow::{Context, bail};
use handoff_engine::content::{Content, Receipt, UserMessage, all_as_text};
use handoff_engine::display::{block, line};
use handoff_engine::handoff::TransportKind;
use handoff_engine::name::SessionId;
use handoff_engine::session::Sender;
use handoff_genesys::File;
use handoff_scenario::{LiveStage, StageError};
use handoff_server::{Host, Position, UserEventKind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::io::{AsyncBufReadExt, BufReader};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The project's directory.
    project: PathBuf,
    /// The transport to hand over by.
    #[arg(long, value_parser = crate::test::parse_transport)]
    transport: Option<TransportKind>,
    /// The simulated organisation, relative to the project. Without this, 'org-scripted.toml', in
    /// which agents answer by themselves.
    #[arg(long, value_name = "FILE")]
    org: Option<PathBuf>,
    /// Agents do nothing by themselves ('org.toml'): be one with 'handoff sim agent'.
    #[arg(long, conflicts_with = "org")]
    by_hand: bool,
    /// The bot to talk to instead of the project's start bot.
    #[arg(long)]
    bot: Option<String>,
    #[command(flatten)]
    nodes: NodesArguments,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let engine = arguments.nodes.load().await?;
    let org = arguments
        .project
        .join(match (&arguments.org, arguments.by_hand) {
            (Some(org), _) => org.clone(),
            (None, true) => "org.toml".into(),
            (None, false) => "org-scripted.toml".into(),
        });
    let stage = LiveStage::set_up(&engine, &arguments.project, &org, arguments.transport).await;
    let stage = match stage {
        Ok(stage) => stage,
        Err(StageError::Project(mistakes)) => {
            show_all(&mistakes, &arguments.project);
            bail!("the project has mistakes");
        }
        Err(error) => return Err(error.into()),
    };
    out!(
        "{BOLD}{}{BOLD:#} {DIM}over {}, Genesys simulator at {}{DIM:#}",
        line(&stage.project_name()),
        stage.transport(),
        stage.simulator_url()
    );
    for agent in stage.agents() {
        out!(
            "{DIM}be an agent: handoff sim agent {agent} --url {}{DIM:#}",
            stage.simulator_url()
        );
    }
    out!(
        "{DIM}or in a browser: {}/desk{DIM:#}",
        stage.simulator_url()
    );
    out!(
        "{DIM}/leave leaves the agent or the chat, /quit quits, /attach FILE sends a file, /pick LABEL picks what an agent offers.{DIM:#}\n"
    );
    talk(&stage, arguments.bot.as_deref()).await?;
    stage.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn talk(stage: &LiveStage, bot: Option<&str>) -> anyhow::Result<()> {
    let host = stage.host();
    let session = stage.session();
    host.start_session(session.clone(), bot.map(Into::into), None)
        .await
        .context("the bot cannot be talked to")?;
    let mut typed = BufReader::new(tokio::io::stdin()).lines();
    let mut open_input = true;
    let mut turns = host.watch(session).await?;
    let mut seen = Position::default();
    let mut messages = 0;
    let mut offer = None;
    loop {
        turns.mark_unchanged();
        for event in host.user_events(session, seen, usize::MAX).await? {
            seen = event.position;
            if show(&event.kind) {
                return Ok(());
            }
            if let UserEventKind::Message {
                content,
                message: Some(id),
                ..
            } = event.kind
            {
                offer = Some((id, content));
            }
        }
        tokio::select! {
            changed = turns.changed() => changed.context("the host stopped")?,
            line = typed.next_line(), if open_input => {
                let Some(line) = line? else {
                    // Nothing more to say; the conversation may still go on.
                    open_input = false;
                    continue;
                };
                messages += 1;
                let id = messages.to_string();
                let said = match Typed::read(line.trim()) {
                    Typed::Nothing => Ok(()),
                    Typed::Quit => return Ok(()),
                    Typed::Leave => host.user_leaves(session, &id).await.map_err(Into::into),
                    Typed::Text(text) => host.user_message(session, &id, text).await.map_err(Into::into),
                    Typed::Attach(path) => attach(host, session, &id, path).await,
                    Typed::Pick(label) => pick(host, session, &id, label, offer.as_ref()).await,
                };
                if let Err(error) = said {
                    out!("{RED}{}{RED:#}", block(&format!("{error:#}")));
                }
            }
        }
    }
}

/// What a typed line asks for.
enum Typed<'a> {
    Nothing,
    Quit,
    Leave,
    Attach(&'a Path),
    Pick(&'a str),
    Text(&'a str),
}

impl<'a> Typed<'a> {
    fn read(line: &'a str) -> Self {
        match line.split_once(' ') {
            Some(("/attach", path)) => Self::Attach(Path::new(path.trim())),
            Some(("/pick", label)) => Self::Pick(label.trim()),
            _ => match line {
                "" => Self::Nothing,
                "/quit" => Self::Quit,
                "/leave" => Self::Leave,
                text => Self::Text(text),
            },
        }
    }
}

/// Sends a file of this machine.
async fn attach(host: &Host, session: &SessionId, id: &str, path: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(path).with_context(|| format!("'{}'", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = File {
        mime: mime_guess::from_path(path)
            .first_or_octet_stream()
            .to_string(),
        name: name.into_owned(),
        bytes: bytes.into(),
    };
    let message = UserMessage {
        attachments: vec![host.keep_file(file).await?],
        ..UserMessage::default()
    };
    host.user_says(session, id, message).await?;
    Ok(())
}

/// Picks something that the last message offered.
async fn pick(
    host: &Host,
    session: &SessionId,
    id: &str,
    label: &str,
    offer: Option<&(String, Vec<Content>)>,
) -> anyhow::Result<()> {
    let picked = offer.and_then(|(message, content)| UserMessage::picking(label, content, message));
    let Some(picked) = picked else {
        bail!("the last message does not offer '{label}'");
    };
    host.user_says(session, id, picked).await?;
    Ok(())
}

/// Shows an event; true if it is the last.
fn show(event: &UserEventKind) -> bool {
    match event {
        UserEventKind::Message {
            from,
            text,
            content,
            ..
        } => {
            let (style, name) = match from {
                Sender::Bot(bot) => (crate::paint::bot(), bot.to_string()),
                Sender::Agent(agent) => (crate::paint::agent(), agent.name.clone()),
                Sender::System => (DIM, "system".to_owned()),
            };
            let text = all_as_text(text, content);
            let (text, name) = (block(&text), line(&name));
            let mut lines = text.lines();
            let first = lines.next().unwrap_or_default();
            out!("{style}{name:>13}{style:#}  {first}");
            for line in lines {
                out!("{:>13}  {line}", "");
            }
            false
        }
        UserEventKind::Typing { on: true } => {
            out!("{DIM}the agent is typing{DIM:#}");
            false
        }
        UserEventKind::Receipt { receipt, .. } => {
            if *receipt == Receipt::Failed {
                out!("{RED}the message did not reach the agent{RED:#}");
            }
            false
        }
        UserEventKind::Typing { on: false } => false,
        UserEventKind::Closed { reason } => {
            out!("{YELLOW}The chat is closed: {}{YELLOW:#}", reason.as_str());
            true
        }
    }
}
