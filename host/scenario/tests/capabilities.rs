//! The capability matrix in the documentation says what the conformance suite proves.

use handoff_engine::handoff::TransportKind;
use handoff_scenario::{Scenario, find, matrix};
use std::path::Path;

const DOCUMENT: &str = "docs/capabilities.md";
const SUITE: &str = "fixtures/projects/conformance/scenarios";
const BEGIN: &str = "<!-- The table is made from the conformance suite. -->\n";

fn suite(workspace: &Path) -> Vec<Scenario> {
    let mut files = Vec::new();
    find(&workspace.join(SUITE), &mut files).expect("the suite is there");
    let read = |file: &std::path::PathBuf| Scenario::read(file).expect("it parses");
    files.iter().map(read).collect()
}

#[test]
fn the_documented_capabilities_are_those_the_suite_proves() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let scenarios = suite(&workspace);
    let table = matrix(&scenarios, |scenario| {
        let file = scenario.path.file_name().expect("it is a file");
        format!("../{SUITE}/{}", file.display())
    });
    let path = workspace.join(DOCUMENT);
    let document = std::fs::read_to_string(&path).expect("it is there");
    let (prose, documented) = document.split_once(BEGIN).expect("the table has its mark");
    if documented == table {
        return;
    }
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, format!("{prose}{BEGIN}{table}")).expect("it can be written");
        return;
    }
    panic!("{DOCUMENT} is out of date; run this test with UPDATE_EXPECTED=1\n\n{table}");
}

#[test]
fn every_conformance_scenario_runs_on_all_four_transports() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for scenario in suite(&workspace) {
        let name = &scenario.name;
        assert!(scenario.capability.is_some(), "'{name}' stands for no row");
        assert_eq!(scenario.plays_on(), TransportKind::ALL, "'{name}'");
    }
}
