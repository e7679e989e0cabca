//! A timeline as one HTML page.
//!
//! The page loads nothing and runs no script, and its content security policy forbids both: filters
//! are checkboxes that style rules look at, and what a row has to tell opens as a `details` element.
//! Whatever a session said can therefore not do anything, even if it were to escape its escaping.

use super::model::{Kind, Row, Timeline};
use super::says::time_of_day;
use handoff_engine::display;
use handoff_engine::time::Timestamp;
use minijinja::value::{Serde, Value as Text};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, escape_formatter};
use serde::Serialize;

const TEMPLATE: &str = include_str!("page.html");

/// What the template is given.
#[derive(Serialize)]
struct Page<'a> {
    timeline: &'a Timeline,
    from: Option<String>,
    to: Option<String>,
    kinds: Vec<Counted>,
    shown: Vec<Shown<'a>>,
}

/// What the template is given of a row.
#[derive(Serialize)]
struct Shown<'a> {
    day: Option<String>,
    time: String,
    since: String,
    kind: &'static str,
    failed: bool,
    who: &'a str,
    what: &'a str,
    state: Option<&'static str>,
    correlation: Option<&'a str>,
    revision: u64,
    stack: String,
    /// For each lane whether its owner is in charge, below, or not there.
    lanes: Vec<&'static str>,
    json: String,
}

/// A kind, and how many rows there are of it.
#[derive(Serialize)]
struct Counted {
    name: &'static str,
    count: usize,
}

impl Timeline {
    /// One page without anything beside it.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(|out, state, value| match value.as_str() {
            Some(text) if !value.is_safe() => {
                escape_formatter(out, state, &Text::from(display::block(text).into_owned()))
            }
            _ => escape_formatter(out, state, value),
        });
        let kinds: Vec<Counted> = Kind::ALL
            .into_iter()
            .map(|kind| Counted {
                name: kind.as_str(),
                count: self.rows.iter().filter(|row| row.kind == kind).count(),
            })
            .filter(|kind| kind.count > 0)
            .collect();
        let mut day = String::new();
        let shown: Vec<Shown<'_>> = self
            .rows
            .iter()
            .map(|row| self.show(row, &mut day))
            .collect();
        let last = self.rows.last().map(|row| row.at);
        let page = Page {
            timeline: self,
            from: self.rows.first().map(|row| row.at.to_iso()),
            to: last.map(Timestamp::to_iso),
            kinds,
            shown,
        };
        let page = environment.render_str(TEMPLATE, Serde(&page));
        page.expect("the template is part of this program, and is given all it names")
    }

    fn show<'a>(&self, row: &'a Row, day: &mut String) -> Shown<'a> {
        let today = row.at.to_iso().get(..10).unwrap_or_default().to_owned();
        let new_day = (today != *day).then(|| today.clone());
        *day = today;
        let in_charge = row.owners.last();
        let lane = |owner: &String| match in_charge {
            Some(last) if last == owner => "on",
            _ if row.owners.contains(owner) => "below",
            _ => "off",
        };
        Shown {
            day: new_day,
            time: time_of_day(row.at),
            since: match row.since_ms.0 {
                0 => String::new(),
                _ => format!("+{}", row.since_ms),
            },
            kind: row.kind.as_str(),
            failed: row.failed,
            who: &row.who,
            what: &row.what,
            state: row.state.map(super::State::as_str),
            correlation: row.correlation.as_deref(),
            revision: row.revision,
            stack: row.owners.join(" › "),
            lanes: self.owners.iter().map(lane).collect(),
            json: format!("{:#}", row.detail),
        }
    }
}
