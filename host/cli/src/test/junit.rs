//! The report that build servers read.

use super::explain;
use super::plays::Played;
use anstream::adapter::strip_str;
use anyhow::Context;
use handoff_engine::display::block;
use handoff_scenario::FileError;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Writes what was played, a suite for each scenario's file.
pub(super) fn write(
    file: &Path,
    all: &[Played],
    bad: &[(PathBuf, FileError)],
) -> anyhow::Result<()> {
    let mut report = Report::new("handoff");
    for (path, error) in bad {
        let mut suite = TestSuite::new(xml(&path.display().to_string()));
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_description(xml(&error.to_string()));
        suite.add_test_case(TestCase::new("the scenario is read", status));
        report.add_test_suite(suite);
    }
    for of_one in all.chunk_by(|one, other| one.report.scenario.path == other.report.scenario.path)
    {
        let scenario = &of_one[0].report.scenario;
        let mut suite = TestSuite::new(xml(&scenario.path.display().to_string()));
        suite.add_test_cases(of_one.iter().map(case));
        report.add_test_suite(suite);
    }
    let unwritable = || format!("'{}' cannot be written", file.display());
    let target = File::create(file).with_context(unwritable)?;
    report.serialize(target).with_context(unwritable)
}

fn case(played: &Played) -> TestCase {
    let scenario = &played.report.scenario;
    let status = if played.held() {
        TestCaseStatus::success()
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let why = explain(scenario, &played.report.outcome);
        status.set_description(xml(&strip_str(&why).to_string()));
        status
    };
    let mut case = TestCase::new(xml(&scenario.name), status);
    case.set_classname(played.report.transport.as_str());
    case.set_time(played.took);
    let lines = played.lines.join("\n");
    case.set_system_out(xml(&strip_str(&lines).to_string()));
    case
}

/// A text that an XML document may hold: some characters are not allowed there even when escaped.
fn xml(text: &str) -> String {
    let allowed = |c: char| match c {
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c => c,
    };
    block(text).chars().map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_xml_whatever_anybody_said() {
        let every: String = ('\0'..=char::MAX)
            .filter(|c| *c < '\u{3000}' || *c > '\u{fff0}')
            .take(20_000)
            .collect();
        let nasty = format!("{every}\u{ffff}]]>\u{1b}]0;x\u{7}");
        let mut suite = TestSuite::new(xml(&nasty));
        let mut case = TestCase::new(xml(&nasty), TestCaseStatus::success());
        case.set_system_out(xml(&nasty));
        suite.add_test_case(case);
        let mut report = Report::new("handoff");
        report.add_test_suite(suite);
        let written = report.to_string().expect("is written");
        roxmltree::Document::parse(&written).expect("is XML");
    }
}
