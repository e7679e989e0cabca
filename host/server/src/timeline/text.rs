//! A timeline as text, a line for each row, for terminals and tickets.

use super::model::{Row, Timeline};
use super::says::time_of_day;
use handoff_engine::display;
use handoff_engine::time::Timestamp;
use std::fmt::{self, Write};

impl Timeline {
    /// A line for each row. What is not printable is escaped, so that nothing said in a session can
    /// give orders to a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, text: &mut String) -> fmt::Result {
        writeln!(text, "session   {}", plain(&self.session))?;
        writeln!(text, "project   {}", plain(&self.project))?;
        if let Some(channel) = &self.channel {
            writeln!(text, "channel   {}", plain(channel))?;
        }
        let (status, turns) = (plain(&self.status), self.revision);
        writeln!(text, "status    {status}, {turns} turns")?;
        let owners: Vec<String> = self.owners.iter().map(|owner| plain(owner)).collect();
        writeln!(text, "owners    {}", owners.join(", "))?;
        if self.earlier_turns > 0 {
            writeln!(text, "{} earlier turns are not shown", self.earlier_turns)?;
        }
        if !self.revealed {
            writeln!(text, "texts and names are hidden")?;
        }
        let width = self.rows.iter().map(|row| row.who.chars().count()).max();
        let width = width.unwrap_or(0).min(20);
        let (mut day, mut owners) = (String::new(), None);
        for row in &self.rows {
            let today = day_of(row.at);
            if today != day {
                writeln!(text, "\n{today} (UTC)")?;
                day = today;
            }
            if owners != Some(&row.owners) {
                let now: Vec<String> = row.owners.iter().map(|owner| plain(owner)).collect();
                let now = if now.is_empty() {
                    "nobody".to_owned()
                } else {
                    now.join(" › ")
                };
                writeln!(text, "  owned by {now}")?;
                owners = Some(&row.owners);
            }
            write_row(text, row, width)?;
        }
        Ok(())
    }
}

fn write_row(text: &mut String, row: &Row, width: usize) -> fmt::Result {
    let since = match row.since_ms.0 {
        0 => String::new(),
        _ => format!("+{}", row.since_ms),
    };
    write!(
        text,
        "{time} {since:>10}  {mark}{kind:<7}  {who:<width$}  {what}",
        time = time_of_day(row.at),
        mark = if row.failed { "!" } else { " " },
        kind = row.kind.as_str(),
        who = plain(&row.who),
        what = plain(&row.what),
    )?;
    if let Some(state) = row.state {
        write!(text, " [{}]", state.as_str())?;
    }
    if let Some(correlation) = &row.correlation {
        write!(text, "  correlation {}", plain(correlation))?;
    }
    writeln!(text, "  r{}", row.revision)
}

fn day_of(at: Timestamp) -> String {
    at.to_iso().get(..10).unwrap_or_default().to_owned()
}

fn plain(text: &str) -> String {
    display::line(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_said_gives_orders_to_a_terminal() {
        let hostile = "\u{1b}[2Jgone\r\nnew\u{9b}1m\u{202e}txt";
        let plain = plain(hostile);
        assert_eq!(plain, r"\u001b[2Jgone\r\nnew\u009b1m\u202etxt");
    }
}
