//! `handoff check --org`: what would go wrong at Genesys, before a customer finds out.

use crate::engine::spinner;
use crate::paint::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::simulated::SimulatorArguments;
use anstyle::Style;
use anyhow::bail;
use handoff_engine::clock::SystemClock;
use handoff_engine::diagnostic::{did_you_mean, name_list};
use handoff_engine::display::line;
use handoff_engine::name::AccountName;
use handoff_engine::project::Project;
use handoff_genesys::http_client;
use handoff_genesys::preflight::{Finding, Grade, Preflight, Wants, preflight};
use handoff_server::{Host, ProjectDirectory};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(crate) struct OrgArguments {
    /// Look at the accounts at Genesys too: credentials, permissions, integrations, routing, queues and
    /// agents. Needs the network and the project's secrets, and changes nothing there.
    #[arg(long)]
    org: bool,
    /// Look at this account only.
    #[arg(long, value_name = "NAME", requires = "org")]
    account: Option<String>,
    /// Where this host is reached from outside, as in 'handoff serve': webhooks are compared with it.
    #[arg(long, value_name = "URL", requires = "org")]
    public_url: Option<String>,
    #[command(flatten)]
    simulator: SimulatorArguments,
    /// Tell what is found as JSON.
    #[arg(long, requires = "org")]
    json: bool,
}

impl OrgArguments {
    /// What clap cannot tell.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.simulator.simulator.is_some() && !self.org {
            bail!("--simulator goes with --org: without it nothing is asked of Genesys");
        }
        Ok(())
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.org
    }
}

pub(crate) async fn run(
    mut project: Project,
    path: &Path,
    arguments: &OrgArguments,
) -> anyhow::Result<ExitCode> {
    let directory = ProjectDirectory::read(path)?;
    let secrets = arguments.simulator.prepare(&mut project, &directory.path)?;
    let names = chosen(&project, arguments.account.as_deref())?;
    let mut all = Vec::new();
    for name in names {
        let Some(account) = project.account(&name) else {
            continue;
        };
        let looking = spinner(&format!("looking at account '{name}'"));
        let wants = wants(&project, &name, arguments.public_url.as_deref());
        let clock = Arc::new(SystemClock);
        let found = preflight(&name, account, &wants, &*secrets, clock, http_client()).await;
        looking.finish_and_clear();
        if !arguments.json {
            show(&found);
        }
        all.push(found);
    }
    if arguments.json {
        out!("{}", serde_json::to_string_pretty(&all)?);
    }
    let worst = all.iter().map(Preflight::worst).max();
    Ok(match worst {
        Some(Grade::Error) => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}

/// The account asked for, or all.
pub(crate) fn chosen(project: &Project, asked: Option<&str>) -> anyhow::Result<Vec<AccountName>> {
    let names: Vec<AccountName> = project.accounts().map(|(name, _)| name.clone()).collect();
    let Some(asked) = asked else {
        return Ok(names);
    };
    let wanted = AccountName::new(asked);
    if names.contains(&wanted) {
        return Ok(vec![wanted]);
    }
    let known = || names.iter().map(AccountName::as_str);
    let help = did_you_mean(asked, known())
        .unwrap_or_else(|| format!("the accounts are {}", name_list(known())));
    bail!("the project has no account '{asked}'; {help}")
}

fn wants(project: &Project, account: &AccountName, public_url: Option<&str>) -> Wants {
    let mut wants = Wants::of(project, account);
    if let Some(url) = public_url {
        let path = Host::webhook_path(account);
        wants.webhook = Some(format!("{}{path}", url.trim_end_matches('/')));
    }
    wants
}

fn show(found: &Preflight) {
    let Preflight {
        account, transport, ..
    } = found;
    out!("{BOLD}{account}{BOLD:#} {DIM}{transport}{DIM:#}");
    for finding in &found.findings {
        show_finding(finding);
    }
    let count = |grade: Grade| {
        let findings = found.findings.iter();
        findings.filter(|it| it.grade == grade).count()
    };
    let (errors, warnings) = (count(Grade::Error), count(Grade::Warning));
    match (errors, warnings) {
        (0, 0) => out!("{GREEN}ready{GREEN:#}\n"),
        (0, _) => out!("{YELLOW}ready, with {warnings} to look at{YELLOW:#}\n"),
        _ => out!("{RED}not ready: {errors} to mend{RED:#}\n"),
    }
}

pub(crate) fn show_finding(finding: &Finding) {
    let (style, sign): (Style, &str) = match finding.grade {
        Grade::Ok => (GREEN, "✓"),
        Grade::Hint => (DIM, "?"),
        Grade::Warning => (YELLOW, "!"),
        Grade::Error => (RED, "✗"),
    };
    out!(
        "  {style}{sign}{style:#} {} {DIM}{}{DIM:#}",
        line(&finding.message),
        finding.code
    );
    if let Some(help) = &finding.help {
        out!("      {DIM}{}{DIM:#}", line(help));
    }
}
