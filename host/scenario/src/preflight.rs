//! What looking at an account, as `handoff check --org` does, has to find.

use crate::play::Failure;
use crate::stage::Stage;
use crate::step::Preflight as Wanted;
use handoff_genesys::preflight::Preflight;

/// Looks, and compares.
pub(crate) async fn holds(stage: &Stage, line: usize, wanted: &Wanted) -> Result<(), Failure> {
    let fail = |expected: String, got: String| {
        Err(Failure {
            line,
            expected,
            got,
        })
    };
    let Some(found) = stage.preflight(&wanted.account).await else {
        let expected = format!("an account '{}'", wanted.account);
        return fail(expected, "the project has none of that name".to_owned());
    };
    let has = |code: &String| found.findings.iter().any(|it| it.code == code);
    if let Some(code) = wanted.finds.iter().find(|code| !has(code)) {
        return fail(format!("to find {code}"), told(&found));
    }
    if let Some(code) = wanted.lacks.iter().find(|code| has(code)) {
        return fail(format!("not to find {code}"), told(&found));
    }
    let of_codes = found
        .findings
        .iter()
        .filter(|it| wanted.finds.iter().any(|code| it.code == code));
    let text: String = of_codes.map(|it| format!("{it}\n")).collect();
    if let Some(words) = wanted.mentions.iter().find(|words| !text.contains(*words)) {
        return fail(format!("to read {words:?}"), text);
    }
    let worst = found.worst().to_string();
    match &wanted.worst {
        Some(expected) if *expected != worst => {
            fail(format!("nothing worse than {expected}"), told(&found))
        }
        _ => Ok(()),
    }
}

fn told(found: &Preflight) -> String {
    let lines: Vec<String> = found.findings.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
