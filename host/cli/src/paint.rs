//! Lines of a conversation, in colour: who, when, what, at which node, owned by whom.

use anstyle::{AnsiColor, Style};
use handoff_engine::display::{indented, line};
use handoff_engine::time::Timestamp;
use handoff_scenario::{Told, Who};

pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

const USER: Style = AnsiColor::Green.on_default().bold();
const BOT: Style = AnsiColor::Cyan.on_default().bold();
const AGENT: Style = AnsiColor::Magenta.on_default().bold();
const SYSTEM: Style = AnsiColor::White.on_default();
const GENESYS: Style = AnsiColor::Yellow.on_default();

/// How a bot's name looks.
pub(crate) fn bot() -> Style {
    BOT
}

/// How an agent's name looks.
pub(crate) fn agent() -> Style {
    AGENT
}

/// Width of the column with names.
const NAME: usize = 13;
/// What stands before further lines of a text, so that none looks like a line of ours.
const MARGIN: &str = "                         ";
/// Column in which the node and the owner stack begin.
const TEXT: usize = 62;

/// A line of what happened, or none if it is a detail.
pub(crate) fn told(told: &Told, details: bool) -> Option<String> {
    let (style, name) = match &told.who {
        Who::User => (USER, "customer".to_owned()),
        Who::Bot(name) => (BOT, name.clone()),
        Who::Agent(name) => (AGENT, name.clone()),
        Who::System => (SYSTEM, "system".to_owned()),
        Who::Genesys => (GENESYS, "genesys".to_owned()),
        Who::Engine | Who::Node => (DIM, String::new()),
        Who::Scenario => (DIM, "time".to_owned()),
    };
    if told.who == Who::Node && !details {
        return None;
    }
    let clock = clock(told.at);
    let name = shorten(&line(&name), NAME);
    let text = indented(&told.text, MARGIN);
    if !told.said {
        let mark = if name.is_empty() { "· " } else { "" };
        return Some(format!(
            "{DIM}{clock}{DIM:#}  {style}{name:>NAME$}{style:#}  {DIM}{mark}{text}{DIM:#}"
        ));
    }
    let owners = told.stack.join(" › ");
    let owners = line(&owners);
    let place = match &told.node {
        Some(node) => format!("{} @ {owners}", line(node.as_str())),
        None => owners.into_owned(),
    };
    let width = text.lines().last().unwrap_or_default().chars().count();
    let gap = TEXT.saturating_sub(width).max(2);
    Some(format!(
        "{DIM}{clock}{DIM:#}  {style}{name:>NAME$}{style:#}  {text}{empty:gap$}{DIM}{place}{DIM:#}",
        empty = "",
    ))
}

/// The time of day, UTC.
fn clock(at: Timestamp) -> String {
    at.to_iso().get(11..19).unwrap_or_default().to_owned()
}

fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width - 1).collect();
    short.push('…');
    short
}
