//! The capability matrix: what each transport carries, as the scenarios that prove it say.

use crate::file::Scenario;
use handoff_engine::handoff::TransportKind;
use std::fmt::Write;

/// The matrix as a Markdown table, a row for each scenario that stands for a capability, in their
/// order. `at` makes the address of a scenario's file.
#[must_use]
pub fn matrix(scenarios: &[Scenario], at: impl Fn(&Scenario) -> String) -> String {
    let mut table = String::from("| |");
    for transport in TransportKind::ALL {
        let _ = write!(table, " `{transport}` |");
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(TransportKind::ALL.len()));
    for scenario in scenarios {
        let Some(capability) = &scenario.capability else {
            continue;
        };
        let _ = write!(table, "\n| [{capability}]({}) |", at(scenario));
        let plays_on = scenario.plays_on();
        for transport in TransportKind::ALL {
            let cell = match scenario.instead.get(&transport) {
                Some(instead) => instead.as_str(),
                None if plays_on.contains(&transport) => "yes",
                None => "not tested",
            };
            let _ = write!(table, " {cell} |");
        }
    }
    table.push('\n');
    table
}
