//! The table of coverage in the documentation says what scenarios prove: every row has one, or a reason
//! why it has none.

use handoff_scenario::{Scenario, find};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const DOCUMENT: &str = "docs/coverage.md";
const FEATURES: &str = "fixtures/projects/features.toml";
const PROJECTS: &str = "fixtures/projects";
const BEGIN: &str = "<!-- The tables are made from the scenarios. -->\n";

/// Rows by system, each with what it is.
#[derive(Deserialize)]
struct Features {
    /// Rows that no scenario proves, and why.
    #[serde(default)]
    open: BTreeMap<String, String>,
    #[serde(flatten)]
    systems: toml::Table,
}

/// A row's id: `SB10` comes after `SB9`.
fn place(id: &str) -> (&str, u32) {
    let digits = id.find(|it: char| it.is_ascii_digit()).unwrap_or(id.len());
    let (system, number) = id.split_at(digits);
    (system, number.parse().unwrap_or_default())
}

struct Coverage {
    features: Features,
    /// The scenarios that prove a row: their names by their paths.
    proofs: BTreeMap<String, BTreeMap<String, String>>,
}

impl Coverage {
    fn read(workspace: &Path) -> Self {
        let text = std::fs::read_to_string(workspace.join(FEATURES)).expect("it is there");
        let features = toml::from_str(&text).unwrap_or_else(|error| panic!("{FEATURES}: {error}"));
        let mut files: Vec<PathBuf> = Vec::new();
        find(&workspace.join(PROJECTS), &mut files).expect("they are there");
        let mut proofs: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for file in files {
            let scenario = Scenario::read(&file).unwrap_or_else(|error| panic!("{error}"));
            let path = file.strip_prefix(workspace).expect("is below it");
            for row in scenario.covers {
                let address = format!("../{}", path.display());
                let proof = proofs.entry(row).or_default();
                proof.insert(address, scenario.name.clone());
            }
        }
        Self { features, proofs }
    }

    fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        let systems = self.features.systems.values();
        let rows = systems.filter_map(toml::Value::as_table).flatten();
        rows.filter_map(|(id, what)| Some((id.as_str(), what.as_str()?)))
    }

    /// What does not fit together, a line each.
    fn mistakes(&self) -> Vec<String> {
        let known: BTreeSet<&str> = self.rows().map(|(id, _)| id).collect();
        let mut mistakes = Vec::new();
        for id in self.proofs.keys().filter(|id| !known.contains(id.as_str())) {
            let scenarios = self.proofs[id].keys();
            let scenarios: Vec<_> = scenarios.map(String::as_str).collect();
            mistakes.push(format!(
                "{id}, which {scenarios:?} cover, is no row of {FEATURES}"
            ));
        }
        for id in self.features.open.keys() {
            if !known.contains(id.as_str()) {
                mistakes.push(format!("[open] has {id}, which is no row"));
            }
            if self.proofs.contains_key(id) {
                mistakes.push(format!("[open] has {id}, which is proven: remove it there"));
            }
        }
        for id in known {
            if !self.proofs.contains_key(id) && !self.features.open.contains_key(id) {
                mistakes.push(format!(
                    "no scenario covers {id}; write one, or say under [open] of {FEATURES} why there is none"
                ));
            }
        }
        mistakes
    }

    fn tables(&self) -> String {
        let all = self.rows().count();
        let open = self.features.open.len();
        let mut out = format!("{} of {all} rows are proven.\n", all - open);
        let mut systems: Vec<_> = self.features.systems.iter().collect();
        let first = |rows: &toml::Value| {
            let rows = rows.as_table().expect("a system is a table");
            let id = rows.keys().next().expect("a system has rows");
            let order = ["SB", "SO", "KO", "YE", "DY", "P", "C"];
            order.iter().position(|system| *system == place(id).0)
        };
        systems.sort_by_key(|(_, rows)| first(rows));
        for (system, rows) in systems {
            let _ = write!(out, "\n## {system}\n\n| | | proven by |\n|---|---|---|\n");
            let mut rows: Vec<_> = rows.as_table().expect("a table").iter().collect();
            rows.sort_by_key(|(id, _)| place(id));
            for (id, what) in rows {
                let what = what.as_str().expect("a row is a text");
                let _ = writeln!(out, "| {id} | {what} | {} |", self.proof(id));
            }
        }
        out
    }

    fn proof(&self, id: &str) -> String {
        if let Some(why) = self.features.open.get(id) {
            return format!("*open:* {why}");
        }
        let proofs = self.proofs.get(id).into_iter().flatten();
        let links = proofs.map(|(address, name)| format!("[{name}]({address})"));
        links.collect::<Vec<_>>().join(" · ")
    }
}

#[test]
fn every_row_is_proven_by_a_scenario_or_has_a_reason() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let coverage = Coverage::read(&workspace);
    let mistakes = coverage.mistakes();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    let path = workspace.join(DOCUMENT);
    let document = std::fs::read_to_string(&path).expect("it is there");
    let (prose, documented) = document
        .split_once(BEGIN)
        .expect("the tables have their mark");
    let tables = coverage.tables();
    if documented == tables {
        return;
    }
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, format!("{prose}{BEGIN}{tables}")).expect("it can be written");
        return;
    }
    panic!("{DOCUMENT} is out of date; run this test with UPDATE_EXPECTED=1");
}
