//! The report that build servers read.

use super::explain;
use super::plays::Played;
use anstream::adapter::strip_str;
use anyhow::Context;
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
        let mut suite = TestSuite::new(path.display().to_string());
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_description(error.to_string());
        suite.add_test_case(TestCase::new("the scenario is read", status));
        report.add_test_suite(suite);
    }
    for of_one in all.chunk_by(|one, other| one.report.scenario.path == other.report.scenario.path)
    {
        let scenario = &of_one[0].report.scenario;
        let mut suite = TestSuite::new(scenario.path.display().to_string());
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
        status.set_description(strip_str(&why).to_string());
        status
    };
    let mut case = TestCase::new(scenario.name.clone(), status);
    case.set_classname(played.report.transport.as_str());
    case.set_time(played.took);
    let lines = played.lines.join("\n");
    case.set_system_out(strip_str(&lines).to_string());
    case
}
